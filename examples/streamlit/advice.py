"""What went wrong, as a sentence, and what to do about it."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from sync_trigger import Job, SyncTriggerError


@dataclass(frozen=True)
class Advice:
    """A sentence and a remedy, both Markdown."""

    sentence: str
    remedy: str


_again = "Press **Try again**: it is the same request, so it never makes a second Job."
_resume = """kubectl -n {namespace} patch cronjob NAME -p '{{"spec":{{"suspend":false}}}}'"""

_misunderstood = (
    "The function does not understand this page's request: {detail}.",
    "They may be of different versions: update the page.",
)

_by_code = {
    "malformed-request": _misunderstood,
    "malformed-event": _misunderstood,
    "body-too-large": _misunderstood,
    "unsupported-media-type": _misunderstood,
    "invalid-field": _misunderstood,
    "headers-too-large": _misunderstood,
    "bad-token": (
        "The page's access token cannot be used: {detail}.",
        "Check the Secret that is mounted where `SYNC_TRIGGER_TOKEN_FILE` points.",
    ),
    "cronjob-not-found": (
        "There is nothing to sync with: {detail}.",
        "Create the CronJob, or correct `CRONJOB_NAME` in the ConfigMap `sync-trigger`.",
    ),
    "job-not-found": (
        "This run is no longer there.",
        "The CronJob's history limits, a TTL or a person removed the Job; what is left is in the list below.",
    ),
    "refused": (
        "The sync is refused: {detail}.",
        f"If the CronJob is suspended, resume it: `{_resume}`.",
    ),
    "key-reused": ("This request was used for another sync before.", "Press the button again: it makes a new request."),
    "component-missing": (
        "The function may start the sync but not show its progress.",
        "An operator can add the missing component: {detail}.",
    ),
    "api-refused": (
        "Kubernetes refuses what the function asks: {detail}.",
        "An operator has to grant what the sentence names. After that, press **Try again**.",
    ),
    "foreign-job": (
        "A foreign Job stands in the way: {detail}.",
        "Remove or rename that Job, then press **Try again**.",
    ),
    "quota-conflict": ("A quota of the namespace was just changing; nothing was started.", _again),
    "record-full": (
        "The function's record of requests is full: {detail}.",
        "Wait until its oldest entry expires. " + _again,
    ),
    "no-log-yet": ("{detail}.", "Its log is shown once its container runs."),
    "no-log": ("The run has ended and left no log.", "Its pod never ran, or is gone."),
    "policy-missing": (
        "The function may start nothing without its admission policy: {detail}.",
        "An operator has to install `components/clone-only`. After that, press **Try again**.",
    ),
    "page-error": ("The page itself failed ({detail}).", "The page's own log has the details. " + _again),
}

_by_status = {
    401: (
        "The function does not accept this page's credentials.",
        "Mount a valid token and set `SYNC_TRIGGER_TOKEN_FILE` to its path; a rotated one is used at once.",
    ),
    403: (
        "The function knows this page but does not let it start the sync: {detail}.",
        "An operator has to add the page's identity to the function's `AUTH_` settings.",
    ),
    429: ("Too many requests at once.", "Wait a moment. " + _again),
    503: ("The function cannot do it now: {detail}.", "This passes as a rule; wait a moment. " + _again),
    504: ("Nobody knows yet whether the sync was started: {detail}.", _again),
}

_unreachable = (
    "The sync function does not answer at `{url}`.",
    """It may be starting: wait a moment. If it stays so, look for it: `kubectl -n {namespace} get ksvc sync-trigger`,
or without Knative `kubectl -n {namespace} get deployment sync-trigger`.""",
)
_not_ready = ("The sync function is not ready: {detail}.", "It may be starting: wait a moment. " + _again)
_not_the_function = (
    "What answers at `{url}` is not the sync function ({detail}).",
    "Correct `SYNC_TRIGGER_URL` in the ConfigMap of this page.",
)
_other = ("The sync function answered {status} ({code}): {detail}.", "Its log has a line with the request id.")

_no_pull = (
    "its image cannot be pulled",
    "If the registry or the pull secret is at fault, mend that; it starts by itself then.",
)
_waits = {
    "Unschedulable": ("no node has room for it", "Free or add capacity; it starts by itself then."),
    "ErrImagePull": _no_pull,
    "ImagePullBackOff": _no_pull,
    "InvalidImageName": ("its image has no valid name", "Nothing mends this Job."),
    "ErrImageNeverPull": ("its image is not on the node", "Load the image there; it starts by itself then."),
    "CreateContainerConfigError": (
        "a Secret or ConfigMap that it needs is missing",
        "Create what the message names; it starts by itself then.",
    ),
    "Suspended": (
        "the Job is suspended",
        """Resume it: `kubectl -n {namespace} patch job {name} -p '{{"spec":{{"suspend":false}}}}'`.""",
    ),
    "CrashLoopBackOff": ("its container ended at once, again and again", "Read the log for the cause."),
}
_other_wait = ("Kubernetes cannot start it yet", "If it stays so, look at the Job's pod: `kubectl describe`.")
_look = "Look why: `kubectl -n {namespace} describe job {name}`"
_refused = "A quota or an admission policy may refuse it; it starts by itself once it is let in."
# A Job keeps the template that it was made with, and as long as it is there the button starts no other.
_replace = """If the CronJob is wrong, correct it, then remove this Job, which keeps what it was made with:
`kubectl -n {namespace} delete job {name}`. After that the page lets you start again."""
_no_pod_is_long_s = 30.0
_short_waits = {None, "NoPod", "ContainerCreating", "PodInitializing"}


def explain_error(error: SyncTriggerError, url: str) -> Advice:
    """An error of the client in words."""
    if error.code == "unreachable":
        texts = _unreachable
    elif error.code in ("bad-answer", "not-the-function") and error.status not in _by_status:
        texts = _not_ready if error.is_passing else _not_the_function
    elif error.code == "not-the-function" and error.status in (503, 504):
        texts = _not_ready  # a gateway's word: nothing reached the function
    else:
        texts = _by_code.get(error.code) or _by_status.get(error.status or 0) or _other
    members = {
        "detail": plain(error.detail.rstrip(". ")),
        "url": _without_userinfo(url),
        "namespace": _namespace_of(url),
        "status": error.status,
        "code": error.code,
    }
    return Advice(*(text.format(**members) for text in texts))


def explain_wait(job: Job) -> Advice | None:
    """Why a Job does not run yet, where that is more than a moment's matter."""
    if job.reason == "NoPod" and job.state == "queued" and _has_waited_long(job):
        sentence = "The sync waits: Kubernetes has made no pod for it (`NoPod`)."
        return Advice(sentence, _for_job(job, f"{_look}. {_refused} {_replace}"))
    if job.reason not in _waits and (job.state != "queued" or job.reason in _short_waits):
        return None
    why, remedy = _waits.get(job.reason or "", _other_wait)
    told = f"Kubernetes says: {plain(job.message.rstrip('. '))}. " if job.message else ""
    return Advice(f"The sync waits: {why} (`{job.reason}`).", told + _for_job(job, f"{remedy} {_replace}"))


def _for_job(job: Job, text: str) -> str:
    return text.format(namespace=job.namespace, name=job.name)


def _has_waited_long(job: Job) -> bool:
    return (datetime.now(UTC) - (job.started_at or job.created_at)).total_seconds() > _no_pod_is_long_s


def explain_failure(job: Job) -> Advice:
    """Why a Job failed."""
    told = f"Kubernetes says: {plain(job.message.rstrip('. '))}. " if job.message else ""
    reason = f" (`{job.reason}`)" if job.reason else ""
    sentence = f"The sync failed{reason}."
    remedy = "Read its log below, mend the cause, then press **Sync now**."
    if job.reason == "DeadlineExceeded":
        sentence = f"The sync took longer than it may and was ended{reason}."
        remedy = "If it was not stuck, raise `activeDeadlineSeconds` in the CronJob."
    elif "OOMKilled" in (job.message or ""):
        sentence = f"The sync ran out of memory{reason}."
        remedy = "Raise the memory limit in the CronJob."
    elif job.exit_code is not None:
        sentence = f"The sync failed with exit code {job.exit_code}{reason}."
    return Advice(sentence, told + remedy)


def plain(text: str) -> str:
    """Text of others, so that Markdown shows it as it is."""
    return re.sub(r"([\\`*_\[\]$<>~])", r"\\\1", text)


def _namespace_of(url: str) -> str:
    labels = (urlsplit(url).hostname or "").split(".")
    return labels[1] if len(labels) > 2 and labels[2] == "svc" else "NAMESPACE"


def _without_userinfo(url: str) -> str:
    return f"{urlsplit(url).scheme}://{urlsplit(url).netloc.rpartition('@')[2]}"
