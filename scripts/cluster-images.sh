# How the images of this repository reach a cluster's nodes. Sourced by kubernetes.sh, never run.
# A cluster on this machine gets what is built here; with K8S_REGISTRY it is built and pushed there; else it is expected to be on
# the nodes already, under the names that compose uses.
# Result: own_prefix and own_tag, for image_overrides.

own_prefix=$COMPOSE_PROJECT_NAME
own_tag=''

prepare_images() {
  case $context in
    kind-*) load_images kind load docker-image --name "${context#kind-}" ;;
    k3d-*) load_images k3d image import --cluster "${context#k3d-}" ;;
    minikube) load_images minikube image load ;;
    # These run the containers of the same engine that builds.
    docker-desktop | orbstack | rancher-desktop | colima | colima-*) load_images : ;;
    *)
      if [ -n "${K8S_REGISTRY:-}" ]; then
        own_prefix=$K8S_REGISTRY
        load_images docker push --quiet
      else
        say "The images $own_prefix/app and $own_prefix/loadgen are expected on the nodes (or build and push them: K8S_REGISTRY=registry.example/team)."
      fi
      ;;
  esac
}

# load_images COMMAND...: builds, tags with the image's own number, so that a change reaches pods that run, and hands each over.
load_images() {
  ensure_engine
  require_own_project
  ensure_base_images
  build_images
  own_tag=$(docker image inspect --format '{{.Id}}' "$COMPOSE_PROJECT_NAME/app" "$COMPOSE_PROJECT_NAME/loadgen" | sha256sum | cut -c 1-12)
  for name in app loadgen; do
    docker tag "$COMPOSE_PROJECT_NAME/$name" "$own_prefix/$name:$own_tag"
    run_step "bringing $own_prefix/$name:$own_tag to the cluster" "$@" "$own_prefix/$name:$own_tag" || fail 3 'an image could not be brought to the cluster.'
  done
  # What this machine calls by another name the cluster cannot pull: it is brought as well.
  for variable in PROMETHEUS_IMAGE GRAFANA_IMAGE; do
    image=$(value_of "$variable")
    is_default "$variable" || ! image_present "$image" || [ -n "${K8S_REGISTRY:-}" ] || run_step "bringing $image to the cluster" "$@" "$image" ||
      fail 3 'an image could not be brought to the cluster.'
  done
}

# The lines of kustomize's `images`.
image_overrides() {
  for name in app loadgen; do
    echo "  - { name: observability-stack/$name, newName: $own_prefix/$name${own_tag:+, newTag: '$own_tag'} }"
  done
  for variable in PROMETHEUS_IMAGE GRAFANA_IMAGE; do
    default=$(sed -n "s/^$variable=//p" "$root/.env")
    echo "  - { name: ${default%:*}, $(as_new_image "$(value_of "$variable")") }"
  done
}

# as_new_image IMAGE: as kustomize wants it in parts. A registry may have a port; a tag has no slash.
as_new_image() {
  case $1 in
    *@*) echo "newName: ${1%@*}, digest: '${1#*@}'" ;;
    *:*)
      case ${1##*:} in
        */*) echo "newName: $1, newTag: latest" ;;
        *) echo "newName: ${1%:*}, newTag: '${1##*:}'" ;;
      esac
      ;;
    *) echo "newName: $1, newTag: latest" ;;
  esac
}
