"""Times, durations and origins in words."""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sync_trigger import Job

_steps = {"trades": "Trade sync", "rewards": "Reward sync"}


def zone(name: str | None) -> tzinfo:
    """The browser's time zone; UTC where its name is not known here."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def clock(at: datetime, local: tzinfo) -> str:
    """A time of today as 14:03:21, of another day with its date."""
    here = at.astimezone(local)
    is_today = here.date() == datetime.now(local).date()
    return f"{here:%H:%M:%S}" if is_today else f"{here:%d %b %Y, %H:%M}"


def duration(ms: float) -> str:
    """A duration as 6 s, 2 min 05 s or 1 h 02 min."""
    seconds = round(ms / 1_000)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3_600:
        return f"{seconds // 60} min {seconds % 60:02} s"
    return f"{seconds // 3_600} h {seconds % 3_600 // 60:02} min"


def ago(at: datetime) -> str:
    """How long ago a time was, roughly."""
    minutes = max(0, round((datetime.now(UTC) - at).total_seconds() / 60))
    if minutes < 1:
        return "just now"
    if minutes < 60:
        return f"{minutes} min ago"
    return f"{minutes // 60} h ago" if minutes < 48 * 60 else f"{minutes // 1_440} days ago"


def step_label(name: str) -> str:
    """A step of SYNC_STEPS as people call it."""
    return _steps.get(name) or f"{name.replace('-', ' ').replace('_', ' ').capitalize()}"


def origin(job: Job) -> str:
    """Who started a run: the schedule, or somebody."""
    return "Scheduled" if job.origin == "scheduled" else "Manual"


def asked_by(job: Job) -> str:
    """Why or how a run was asked for; empty where nobody said."""
    by = f" by {job.requested_by}" if job.requested_by else ""
    if job.requested_reason:
        return job.requested_reason + by
    return {"ping": "Fallback ping", "event": "Event"}.get(job.via or "", "") + by
