// Go's `omitempty` drops "" and false and 0 unless the field is a pointer or has no omitempty. Which is which cannot be
// seen in the OpenAPI models, so it is listed here, from k8s.io/api v0.36.3.

/** Optional strings that are pointers in Go: an empty one is stored as it is. */
const keptStrings = `
AppArmorProfile.localhostProfile AzureDiskVolumeSource.cachingMode AzureDiskVolumeSource.fsType
AzureDiskVolumeSource.kind CSIVolumeSource.fsType ClusterTrustBundleProjection.name
ClusterTrustBundleProjection.signerName Container.restartPolicy CronJobSpec.timeZone
EphemeralContainer.restartPolicy GRPCAction.service HTTPHeader.value HostPathVolumeSource.type
ISCSIVolumeSource.initiatorName JobSpec.completionMode JobSpec.managedBy JobSpec.podReplacementPolicy
LeaseSpec.holderIdentity LeaseSpec.preferredHolder LeaseSpec.strategy Lifecycle.stopSignal
PersistentVolumeClaimSpec.storageClassName PersistentVolumeClaimSpec.volumeAttributesClassName
PersistentVolumeClaimSpec.volumeMode PodDNSConfigOption.value PodFailurePolicyOnExitCodesRequirement.containerName
PodResourceClaim.resourceClaimName PodResourceClaim.resourceClaimTemplateName PodSecurityContext.fsGroupChangePolicy
PodSecurityContext.seLinuxChangePolicy PodSecurityContext.supplementalGroupsPolicy PodSpec.hostnameOverride
PodSpec.preemptionPolicy PodSpec.runtimeClassName SeccompProfile.localhostProfile SecurityContext.procMount
SuccessPolicyRule.succeededIndexes Sysctl.value TopologySpreadConstraint.nodeAffinityPolicy
TopologySpreadConstraint.nodeTaintsPolicy TypedLocalObjectReference.apiGroup TypedObjectReference.apiGroup
TypedObjectReference.namespace VolumeMount.mountPropagation VolumeMount.recursiveReadOnly
WindowsSecurityContextOptions.gmsaCredentialSpec WindowsSecurityContextOptions.gmsaCredentialSpecName
WindowsSecurityContextOptions.runAsUserName
`;

/** Numbers and booleans that are plain values in Go: 0 and false are stored as nothing. */
const droppedZeros = `
AWSElasticBlockStoreVolumeSource.partition AWSElasticBlockStoreVolumeSource.readOnly AzureFileVolumeSource.readOnly
CephFSVolumeSource.readOnly CinderVolumeSource.readOnly Container.stdin Container.stdinOnce Container.tty
ContainerPort.hostPort EphemeralContainer.stdin EphemeralContainer.stdinOnce EphemeralContainer.tty Event.count
EventSeries.count FCVolumeSource.readOnly FlexVolumeSource.readOnly GCEPersistentDiskVolumeSource.partition
GCEPersistentDiskVolumeSource.readOnly GlusterfsVolumeSource.readOnly ISCSIVolumeSource.chapAuthDiscovery
ISCSIVolumeSource.chapAuthSession ISCSIVolumeSource.readOnly JobStatus.active JobStatus.failed JobStatus.succeeded
NFSVolumeSource.readOnly ObjectMeta.generation PersistentVolumeClaimVolumeSource.readOnly
PodCondition.observedGeneration PodSpec.hostIPC PodSpec.hostNetwork PodSpec.hostPID PodStatus.observedGeneration
PortworxVolumeSource.readOnly Probe.failureThreshold Probe.initialDelaySeconds Probe.periodSeconds
Probe.successThreshold Probe.timeoutSeconds QuobyteVolumeSource.readOnly RBDVolumeSource.readOnly
ScaleIOVolumeSource.readOnly ScaleIOVolumeSource.sslEnabled StorageOSVolumeSource.readOnly VolumeMount.readOnly
`;

const kept = new Set(keptStrings.split(/\s+/));
const dropped = new Set(droppedZeros.split(/\s+/));

/** Whether a real server stores nothing for this value of `Struct.field`. */
export function isDroppedZero(id: string, value: unknown): boolean {
  if (value === "") return !kept.has(id);
  if (value === 0 || value === false) return dropped.has(id);
  if (Array.isArray(value)) return value.length === 0;
  return false;
}
