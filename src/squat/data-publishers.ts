/**
 * Well-known publishers (namespaces) and repositories, with their registries. Curated by hand: each is where the project's own installation page says
 * to pull from. A publisher without a host is one of docker.io; whoever owns a namespace alone can publish in it.
 */
export const PUBLISHER_NAMES = `
publisher 3:
  bitnami grafana prom hashicorp jenkins gitlab linuxserver portainer confluentinc apache nvidia tensorflow pytorch jupyter selenium cypress
  amazon google docker rancher calico envoyproxy istio fluent datadog minio sonatype kindest nodered homeassistant pihole jellyfin plexinc
  n8nio ollama vllm rocker circleci cimg newrelic portworx library localstack jwilder nginxproxy nginxinc moby containrrr
publisher 2:
  bitnamicharts bitnamilegacy bitnamisecure mongodb redislabs elastic mysql percona scylladb cockroachdb yugabytedb citusdata postgis timescale
  dpage pingcap questdb victoriametrics opensearchproject getmeili typesense milvusdb qdrant semitechnologies chromadb surrealdb dgraph trinodb
  prestodb apachepulsar streamnative redpandadata vectorized emqx hivemq metabase nocodb directus strapi appsmith budibase hasura supabase
  kong tykio traefik certbot smallstep authelia goauthentik oryd openpolicyagent goharbor aquasec anchore snyk sysdig falcosecurity
  zaproxy owasp kalilinux opensuse ubuntu debian gentoo voidlinux nixos alpine archlinux centos fedora redhat rockylinux almalinux oraclelinux vmware
  continuumio condaforge mambaorg bioconductor huggingface buildkite drone woodpeckerci gitea gogs vaultwarden bitwarden adguard
  emby tautulli qmcgaw syncthing onlyoffice collabora rocketchat mattermost zulip matrixdotorg vectorim discourse requarks outlinewiki
  wekanteam kanboard openproject taigaio zabbix checkmk netdata graphiteapp louislam gotify caronc crowdsecurity wazuh greenbone
  projectdiscovery trufflesecurity zricethezav hadolint koalaman returntocorp semgrep pulumi alpinelinux antrea flannel openebs longhornio
  weaveworks fluxcd argoproj tektoncd kubernetesui jaegertracing openzipkin otel timberio dynatrace splunk getsentry instana sumologic
  logzio graylog buildpacksio paketobuildpacks heroku cloudfoundry balenalib resin arm32v7 arm64v8 amd64 i386 ppc64le s390x
  tonistiigi multiarch crazymax dockersamples dockereng testcontainers wiremock mockserver gradle puppet chef ansible
  browserless zenika sitespeedio locustio k6io wurstmeister oliver006 tiangolo phusion koenkk zigbee2mqtt frigate esphome openhab
  nextcloud owncloud photoprism immich filebrowser dgtlmoon amir20 b3log usememos vikunja linkace wallabag freshrss miniflux rssbridge
  stirlingtools excalidraw drawio plantuml kroki lycheeverse swaggerapi postman hoppscotch mailhog axllent maildev mailserver
  ceph rook roundcube mailu postal listmonk mautic matomo plausible umami posthog clickhouse altinity
publisher 2:
  quay.io/prometheus quay.io/coreos quay.io/jetstack quay.io/argoproj quay.io/cilium quay.io/ceph quay.io/keycloak quay.io/minio quay.io/podman
  quay.io/buildah quay.io/skopeo quay.io/containers quay.io/centos quay.io/fedora quay.io/openshift quay.io/strimzi quay.io/metallb quay.io/operator-framework
  quay.io/tigera quay.io/calico quay.io/devtron quay.io/jupyter quay.io/pypa quay.io/biocontainers quay.io/oauth2-proxy quay.io/brancz quay.io/thanos
  ghcr.io/actions ghcr.io/github ghcr.io/linuxserver ghcr.io/home-assistant ghcr.io/devcontainers ghcr.io/fluxcd ghcr.io/kyverno ghcr.io/astral-sh
  ghcr.io/open-webui ghcr.io/immich-app ghcr.io/goauthentik ghcr.io/dexidp ghcr.io/external-secrets ghcr.io/aquasecurity ghcr.io/sigstore
  ghcr.io/cloudnative-pg ghcr.io/renovatebot ghcr.io/super-linter ghcr.io/gethomepage ghcr.io/advplyr ghcr.io/blakeblackshear ghcr.io/paperless-ngx
  ghcr.io/kubernetes-sigs ghcr.io/k3d-io ghcr.io/project-zot ghcr.io/oras-project ghcr.io/anchore ghcr.io/berriai ghcr.io/huggingface ghcr.io/ollama
  gcr.io/distroless gcr.io/google-containers gcr.io/kaniko-project gcr.io/cloud-builders gcr.io/google.com gcr.io/k8s-staging gcr.io/knative-releases
  gcr.io/tekton-releases gcr.io/google-samples gcr.io/cadvisor gcr.io/projectsigstore gcr.io/tensorflow gcr.io/go-containerregistry gcr.io/kubebuilder
  mcr.microsoft.com/dotnet mcr.microsoft.com/azure-cli mcr.microsoft.com/playwright mcr.microsoft.com/mssql mcr.microsoft.com/powershell
  mcr.microsoft.com/windows mcr.microsoft.com/azure-functions mcr.microsoft.com/devcontainers mcr.microsoft.com/vscode mcr.microsoft.com/oss
  nvcr.io/nvidia public.ecr.aws/docker public.ecr.aws/lambda public.ecr.aws/amazonlinux public.ecr.aws/aws-cli public.ecr.aws/ecs public.ecr.aws/eks
  registry.access.redhat.com/ubi8 registry.access.redhat.com/ubi9 docker.elastic.co/elasticsearch docker.elastic.co/kibana docker.elastic.co/beats
  docker.elastic.co/logstash registry.gitlab.com/gitlab-org cgr.dev/chainguard lscr.io/linuxserver

repository 3:
  docker.io/prom/prometheus docker.io/prom/node-exporter docker.io/prom/alertmanager docker.io/prom/pushgateway docker.io/prom/blackbox-exporter
  docker.io/grafana/grafana docker.io/grafana/loki docker.io/grafana/promtail docker.io/grafana/tempo docker.io/grafana/k6 docker.io/grafana/agent docker.io/grafana/alloy
  docker.io/jenkins/jenkins docker.io/gitlab/gitlab-ce docker.io/gitlab/gitlab-ee docker.io/gitlab/gitlab-runner docker.io/portainer/portainer-ce docker.io/portainer/portainer
  docker.io/hashicorp/terraform docker.io/hashicorp/vault docker.io/hashicorp/consul docker.io/hashicorp/packer docker.io/hashicorp/nomad
  docker.io/bitnami/redis docker.io/bitnami/postgresql docker.io/bitnami/kafka docker.io/bitnami/kubectl docker.io/bitnami/nginx docker.io/bitnami/mongodb docker.io/bitnami/mariadb
  docker.io/minio/minio docker.io/minio/mc docker.io/n8nio/n8n docker.io/ollama/ollama docker.io/nvidia/cuda docker.io/tensorflow/tensorflow docker.io/pytorch/pytorch
  docker.io/apache/kafka docker.io/apache/airflow docker.io/apache/spark docker.io/apache/superset docker.io/confluentinc/cp-kafka docker.io/confluentinc/cp-zookeeper
  docker.io/rancher/rancher docker.io/rancher/k3s docker.io/selenium/standalone-chrome docker.io/selenium/hub docker.io/sonatype/nexus3 docker.io/localstack/localstack
  docker.io/pihole/pihole docker.io/homeassistant/home-assistant docker.io/jellyfin/jellyfin docker.io/nodered/node-red docker.io/amazon/aws-cli docker.io/google/cloud-sdk
  docker.io/containrrr/watchtower docker.io/jwilder/nginx-proxy docker.io/nginxproxy/nginx-proxy docker.io/envoyproxy/envoy docker.io/fluent/fluent-bit docker.io/datadog/agent
  docker.io/docker/dockerfile docker.io/docker/compose docker.io/moby/buildkit docker.io/kindest/node docker.io/cypress/included
repository 2:
  docker.io/vaultwarden/server docker.io/louislam/uptime-kuma docker.io/dpage/pgadmin4 docker.io/postgis/postgis docker.io/timescale/timescaledb docker.io/clickhouse/clickhouse-server
  docker.io/getmeili/meilisearch docker.io/qdrant/qdrant docker.io/opensearchproject/opensearch docker.io/metabase/metabase docker.io/jaegertracing/all-in-one docker.io/openzipkin/zipkin
  docker.io/aquasec/trivy docker.io/hadolint/hadolint docker.io/koalaman/shellcheck docker.io/gitea/gitea docker.io/oliver006/redis_exporter docker.io/wurstmeister/kafka
  docker.io/jupyter/base-notebook docker.io/jupyter/scipy-notebook docker.io/continuumio/miniconda3 docker.io/continuumio/anaconda3 docker.io/condaforge/miniforge3 docker.io/mambaorg/micromamba
  docker.io/rocker/rstudio docker.io/rocker/r-ver docker.io/alpine/git docker.io/alpine/helm docker.io/alpine/k8s docker.io/mailhog/mailhog docker.io/axllent/mailpit
  docker.io/mongodb/mongodb-community-server docker.io/redis/redis-stack docker.io/mysql/mysql-server docker.io/netdata/netdata docker.io/zabbix/zabbix-server-mysql
  docker.io/emqx/emqx docker.io/certbot/certbot docker.io/cloudflare/cloudflared docker.io/tailscale/tailscale docker.io/syncthing/syncthing
  docker.io/swaggerapi/swagger-ui docker.io/kalilinux/kali-rolling docker.io/zaproxy/stable docker.io/traefik/whoami
  quay.io/prometheus/prometheus quay.io/prometheus/node-exporter quay.io/prometheus/alertmanager quay.io/coreos/etcd quay.io/keycloak/keycloak quay.io/argoproj/argocd
  quay.io/cilium/cilium quay.io/minio/minio quay.io/jetstack/cert-manager-controller quay.io/ceph/ceph quay.io/podman/stable quay.io/buildah/stable quay.io/oauth2-proxy/oauth2-proxy
  quay.io/strimzi/operator quay.io/metallb/controller quay.io/centos/centos quay.io/fedora/fedora quay.io/jupyter/base-notebook
  ghcr.io/actions/actions-runner ghcr.io/linuxserver/plex ghcr.io/home-assistant/home-assistant ghcr.io/open-webui/open-webui ghcr.io/immich-app/immich-server
  ghcr.io/astral-sh/uv ghcr.io/dexidp/dex ghcr.io/goauthentik/server ghcr.io/paperless-ngx/paperless-ngx ghcr.io/cloudnative-pg/postgresql ghcr.io/renovatebot/renovate
  ghcr.io/super-linter/super-linter ghcr.io/kyverno/kyverno ghcr.io/fluxcd/source-controller ghcr.io/external-secrets/external-secrets
  gcr.io/distroless/static gcr.io/distroless/base gcr.io/distroless/cc gcr.io/distroless/nodejs gcr.io/distroless/python3 gcr.io/distroless/java gcr.io/kaniko-project/executor
  gcr.io/cadvisor/cadvisor gcr.io/google-containers/pause gcr.io/go-containerregistry/crane gcr.io/projectsigstore/cosign
  registry.k8s.io/pause registry.k8s.io/kube-apiserver registry.k8s.io/kube-proxy registry.k8s.io/kube-scheduler registry.k8s.io/kube-controller-manager registry.k8s.io/etcd
  registry.k8s.io/coredns/coredns registry.k8s.io/ingress-nginx/controller registry.k8s.io/metrics-server/metrics-server registry.k8s.io/sig-storage/csi-provisioner
  registry.k8s.io/external-dns/external-dns registry.k8s.io/autoscaling/cluster-autoscaler registry.k8s.io/kube-state-metrics/kube-state-metrics
  mcr.microsoft.com/dotnet/sdk mcr.microsoft.com/dotnet/aspnet mcr.microsoft.com/dotnet/runtime mcr.microsoft.com/mssql/server mcr.microsoft.com/azure-cli
  mcr.microsoft.com/playwright mcr.microsoft.com/powershell mcr.microsoft.com/devcontainers/base mcr.microsoft.com/windows/servercore mcr.microsoft.com/windows/nanoserver
  nvcr.io/nvidia/cuda nvcr.io/nvidia/pytorch nvcr.io/nvidia/tensorflow nvcr.io/nvidia/tritonserver public.ecr.aws/lambda/python public.ecr.aws/lambda/nodejs
  registry.access.redhat.com/ubi9/ubi registry.access.redhat.com/ubi9/ubi-minimal registry.access.redhat.com/ubi8/ubi docker.elastic.co/elasticsearch/elasticsearch
  docker.elastic.co/kibana/kibana docker.elastic.co/logstash/logstash docker.elastic.co/beats/filebeat registry.gitlab.com/gitlab-org/gitlab-runner cgr.dev/chainguard/static
`;
