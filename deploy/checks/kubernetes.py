#!/usr/bin/env python3
"""Checks rendered Kubernetes manifests, read from the files that are named: schemas first, then what no schema knows.

Kubernetes' own kinds are held to the API's schema of the newest release that `kubernetes-validate` has, KEDA's and the
Prometheus operator's to their custom resource definitions, unknown fields refused in both.
"""

import sys

import jsonschema
import kubernetes_validate
import yaml
from cloudcoil.models.keda import v1alpha1 as keda
from cloudcoil.models.prometheus_operator import v1 as prometheus

CUSTOM = {
    "ScaledObject": keda.ScaledObject,
    "TriggerAuthentication": keda.TriggerAuthentication,
    "PodMonitor": prometheus.PodMonitor,
}


def closed(schema):
    """The same schema, but an object with named properties takes no others: a typing error is no extension."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {name: closed(part) for name, part in schema.items()}
    if "properties" in schema:
        schema.setdefault("additionalProperties", False)
    return schema


def against_schema(manifest):
    kind = manifest["kind"]
    if kind in CUSTOM:
        jsonschema.validate(manifest, closed(CUSTOM[kind].model_json_schema(by_alias=True)))
    else:
        kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)


def only(manifests, kind):
    return next((manifest for manifest in manifests if manifest["kind"] == kind), None)


def selectors(manifests):
    """Of each manifest that chooses pods, the labels by which it does."""
    paths = {"Deployment": "selector", "PodDisruptionBudget": "selector", "PodMonitor": "selector", "NetworkPolicy": "podSelector"}
    for manifest in manifests:
        if manifest["kind"] in paths:
            yield manifest["kind"], manifest["spec"][paths[manifest["kind"]]].get("matchLabels")


def workers(manifests):
    """What no schema knows, of the manifests that make workers; yields what is wrong."""
    deployment = only(manifests, "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    for kind, chosen in selectors(manifests):
        if not chosen or not chosen.items() <= labels.items():
            yield f"{kind} does not select the workers alone: {chosen}"
    if "replicas" in deployment["spec"]:
        yield "Deployment and KEDA both set the number of workers"
    if pod["terminationGracePeriodSeconds"] <= 25 + 10:
        yield "terminationGracePeriodSeconds leaves no room above --grace-period"
    names = only(manifests, "NetworkPolicy")["spec"]["egress"][0]["to"][0]["podSelector"]["matchLabels"]
    if names != {"k8s-app": "kube-dns"}:
        yield f"NetworkPolicy does not let the workers ask the cluster's DNS: {names}"
    configuration, trigger = only(manifests, "ConfigMap"), only(manifests, "ScaledObject")["spec"]["triggers"][0]
    if configuration and trigger["metadata"]["queueURL"] != configuration["data"]["ETL_QUEUE_URL"]:
        yield "KEDA watches another queue than the workers read"


def containers(manifests):
    """What must hold of every container."""
    for manifest in manifests:
        template = manifest.get("spec", {}).get("template") or {}
        pod = template.get("spec", {})
        for container in pod.get("containers", []):
            rules = container["securityContext"]
            safe = rules["readOnlyRootFilesystem"] and not rules["allowPrivilegeEscalation"]
            if not safe or rules["capabilities"] != {"drop": ["ALL"]} or not pod["securityContext"]["runAsNonRoot"]:
                yield f"{container['name']} has rights that it does not need"
            if "memory" not in container["resources"]["limits"]:
                yield f"{container['name']} has no limit on memory"


def troubles(manifests):
    for manifest in manifests:
        try:
            against_schema(manifest)
        except (jsonschema.ValidationError, kubernetes_validate.ValidationError) as error:
            yield f"{manifest['kind']} {list(error.path)}: {error.message}"
    yield from containers(manifests)
    if only(manifests, "Deployment"):
        yield from workers(manifests)


def main():
    found = []
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as file:
            manifests = [manifest for manifest in yaml.safe_load_all(file) if manifest]
        found += [f"{path}: {trouble}" for trouble in troubles(manifests)]
        print(f"{path}: {', '.join(manifest['kind'] for manifest in manifests)}")
    sys.exit("\n".join(found) or 0)


if __name__ == "__main__":
    main()
