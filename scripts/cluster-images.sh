# Brings images to a cluster's nodes and writes their names into the manifests. Sourced. A local cluster gets the images built here. With
# K8S_REGISTRY, the images are built and pushed to that registry. Otherwise the nodes must already have the images that the manifests name.

own_prefix=${K8S_REGISTRY:-$COMPOSE_PROJECT_NAME}
own_tag=''
# The tag in the manifests.
release=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' "$root/package.json")

prepare_images() {
  for variable in PROMETHEUS_IMAGE GRAFANA_IMAGE; do
    case $(value_of "$variable") in *[!A-Za-z0-9_./:@-]*) fail 2 "$variable: expected an image name, got \"$(value_of "$variable")\"" ;; esac
  done
  case $context in
    kind-*) load_images kind load docker-image --name "${context#kind-}" ;;
    k3d-*) load_images k3d image import --cluster "${context#k3d-}" ;;
    minikube) load_images minikube image load ;;
    # These clusters use the images of the engine that builds them.
    docker-desktop | orbstack | rancher-desktop | colima | colima-*) load_images : ;;
    *)
      [ -n "${K8S_REGISTRY:-}" ] && load_images docker push --quiet ||
        say "The images $own_prefix/app:$release and $own_prefix/loadgen:$release are expected on the nodes (or build and push them: K8S_REGISTRY=registry.example/team)."
      ;;
  esac
}

# load_images COMMAND...: builds the images, tags them by their ids, so that a change replaces running pods, and runs COMMAND for each.
load_images() {
  ensure_engine
  require_own_project
  ensure_images
  build_images
  own_tag=$(docker image inspect --format '{{.Id}}' "$COMPOSE_PROJECT_NAME/app" "$COMPOSE_PROJECT_NAME/loadgen" | sha256sum | cut -c 1-12)
  images=''
  for name in app loadgen; do
    docker tag "$COMPOSE_PROJECT_NAME/$name" "$own_prefix/$name:$own_tag"
    images="$images $own_prefix/$name:$own_tag"
  done
  # The cluster cannot pull an image that exists only on this machine.
  for variable in PROMETHEUS_IMAGE GRAFANA_IMAGE; do
    image=$(value_of "$variable")
    is_default "$variable" || [ -n "${K8S_REGISTRY:-}" ] || ! image_present "$image" || images="$images $image"
  done
  for image in $images; do
    run_step "bringing $image to the cluster" "$@" "$image" || fail 3 'an image did not reach the cluster.'
  done
}

# render FOLDER: prints the objects of a kustomization with this site's images.
render() {
  default_of() { sed -n "s/^$1=//p" "$root/.env"; }
  cluster kustomize "$1" >"$work/rendered" && sed -E -e "s#image: observability-stack/(app|loadgen):.*#image: $own_prefix/\\1:${own_tag:-$release}#" \
    -e "s|image: $(default_of PROMETHEUS_IMAGE)\$|image: $PROMETHEUS_IMAGE|" -e "s|image: $(default_of GRAFANA_IMAGE)\$|image: $GRAFANA_IMAGE|" \
    -e "s|=$(default_of PROMETHEUS_FEATURES)\$|=$(prometheus_features)|" "$work/rendered"
}
