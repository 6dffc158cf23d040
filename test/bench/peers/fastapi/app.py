"""The same function as people write it in Python: FastAPI and the official Kubernetes client."""

import os
import uuid

from fastapi import FastAPI
from kubernetes import client, config
from pydantic import BaseModel, ConfigDict, Field

config.load_incluster_config()
settings = client.Configuration.get_default_copy()
settings.connection_pool_maxsize = 64  # as many as requests at a time; the default is five for each core
batch = client.BatchV1Api(client.ApiClient(settings))
name = os.environ["CRONJOB_NAME"]
with open("/var/run/secrets/kubernetes.io/serviceaccount/namespace") as file:
    namespace = file.read().strip()

app = FastAPI()


class SyncRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")
    reason: str | None = Field(default=None, max_length=256)


@app.get("/health/liveness")
def live() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/trigger-sync")
def trigger(request: SyncRequest | None = None) -> dict[str, str]:
    cron_job = batch.read_namespaced_cron_job(name, namespace)
    template = cron_job.spec.job_template
    annotations = {**((template.metadata and template.metadata.annotations) or {}), "cronjob.kubernetes.io/instantiate": "manual"}
    owner = client.V1OwnerReference(
        api_version="batch/v1", kind="CronJob", name=cron_job.metadata.name, uid=cron_job.metadata.uid, controller=True
    )
    metadata = client.V1ObjectMeta(
        name=f"{name}-{uuid.uuid4()}",
        labels=template.metadata and template.metadata.labels,
        annotations=annotations,
        owner_references=[owner],
    )
    job = batch.create_namespaced_job(namespace, client.V1Job(metadata=metadata, spec=template.spec))
    return {"job": job.metadata.name}
