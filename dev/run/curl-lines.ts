/** The three commands that show the function at work: a plain request, an event, and the log of the newest Job. */
export function curlLines(url: string): [string, string, string] {
  const json = "-H 'content-type: application/json'";
  const event = {
    "ce-specversion": "1.0",
    "ce-id": "try-1",
    "ce-source": "/curl",
    "ce-type": "internal.sync-trigger.requested.v1",
  };
  const headers = Object.entries(event).map(([name, value]) => `-H '${name}: ${value}'`);
  return [
    `curl -s -X POST ${url}/trigger-sync ${json} -d '{"reason":"trying it"}'`,
    `curl -i -X POST ${url}/ ${headers.join(" ")} ${json} -d '{"reason":"an event"}'`,
    `curl -sN '${url}/jobs/latest/logs?follow=true'`,
  ];
}
