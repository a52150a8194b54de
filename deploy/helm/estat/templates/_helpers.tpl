{{- define "estat.name" -}}
{{- if contains "estat" .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-estat" .Release.Name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "estat.selector" -}}
app.kubernetes.io/name: estat
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "estat.labels" -}}
{{ include "estat.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "estat.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ .Values.serviceAccount.name | default (include "estat.name" .) }}{{ else }}{{ .Values.serviceAccount.name | default "default" }}{{ end }}
{{- end }}

{{/* Who answers HTTP. */}}
{{- define "estat.frontRole" -}}
{{- if eq .Values.mode "cluster" }}gateway{{ else }}server{{ end }}
{{- end }}

{{- define "estat.assembly" -}}
{{- if eq .Values.mode "cluster" }}/app/Estat.Silo.dll{{ else }}/app/Estat.Api.dll{{ end }}
{{- end }}

{{/* The environment of every container, but for its role. */}}
{{- define "estat.env" -}}
{{- range $name, $value := .Values.options }}
{{- if ne (toString $value) "" }}
- { name: {{ $name }}, value: {{ $value | toString | quote }} }
{{- end }}
{{- end }}
{{- if or .Values.adminToken.existingSecret .Values.adminToken.value }}
- name: ADMIN_TOKEN
  valueFrom:
    secretKeyRef:
      name: {{ .Values.adminToken.existingSecret | default (printf "%s-admin" (include "estat.name" .)) }}
      key: {{ .Values.adminToken.key }}
{{- end }}
{{- if eq .Values.mode "cluster" }}
- { name: CLUSTERING, value: {{ .Values.cluster.clustering }} }
- { name: CLUSTER_ID, value: {{ .Values.cluster.id | quote }} }
{{- if eq .Values.cluster.clustering "redis" }}
- { name: REDIS_ENDPOINT, value: {{ .Values.cluster.redis.endpoint | quote }} }
- { name: REDIS_TLS, value: {{ .Values.cluster.redis.tls | quote }} }
- { name: REDIS_KEY_PREFIX, value: {{ .Values.cluster.redis.keyPrefix | quote }} }
{{- with .Values.cluster.redis.existingSecret }}
- name: REDIS_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ . }}
      key: {{ $.Values.cluster.redis.passwordKey }}
{{- end }}
{{- else }}
- { name: DYNAMODB_TABLE_PREFIX, value: {{ .Values.cluster.dynamodbTablePrefix | quote }} }
{{- end }}
- { name: ACK, value: {{ .Values.cluster.ack }} }
{{- end }}
{{- end }}

{{/* What a probe asks by: plain HTTP unless the node has a certificate; a kubelet checks none. */}}
{{- define "estat.scheme" -}}
{{- if .Values.options.HTTP_TLS_CERT }}, scheme: HTTPS{{ end }}
{{- end }}

{{- define "estat.container" -}}
image: {{ printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
# The service forgets the pod in the meantime; until then it takes events as ever.
lifecycle:
  preStop: { sleep: { seconds: 3 } }
startupProbe:
  httpGet: { path: /health, port: http{{ include "estat.scheme" . }} }
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: { path: /health, port: http{{ include "estat.scheme" . }} }
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: { path: /health/ready, port: http{{ include "estat.scheme" . }} }
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 2
{{- end }}

{{- define "estat.pod" -}}
serviceAccountName: {{ include "estat.serviceAccount" . }}
automountServiceAccountToken: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
enableServiceLinks: false
terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
securityContext:
  runAsNonRoot: true
  runAsUser: 1654
  runAsGroup: 1654
  # The volume becomes the user's, without a walk over all files of a full spool at each start.
  fsGroup: 1654
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: { type: RuntimeDefault }
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "estat.spread" -}}
{{- with .root.Values.topologyKeys }}
topologySpreadConstraints:
  {{- range . }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "estat.selector" $.root | nindent 8 }}
        app.kubernetes.io/component: {{ $.component }}
  {{- end }}
{{- end }}
{{- end }}
