# Ensures that this machine has what a command needs: an engine with Compose and Buildx, the images, and readable configuration.
# offline/ installs or builds missing parts. Sourced.
. "$root/scripts/offline/install.sh"
. "$root/scripts/offline/engine.sh"
. "$root/scripts/offline/images.sh"

ensure_engine() {
  engine_answers || install_engine
  [ -z "$(missing_plugins)" ] || install_plugins
  version=$(docker compose version --short 2>/dev/null)
  case ${version#v} in
    0.* | 1.* | 2.[0-9].* | 2.1[0-9].*) fail 3 "expected Docker Compose 2.20 or newer, found $version." 'Update it, then run this again.' ;;
  esac
}

image_present() { docker image inspect "$1" >/dev/null 2>&1; }
image_names() { docker image ls --format '{{.Repository}}:{{.Tag}}' --filter "reference=$1" | grep -v '<none>'; }

# obtain_image VARIABLE: succeeds if that image is present or can be pulled. Exits instead of replacing an image that the user named.
obtain_image() {
  image=$(value_of "$1")
  ! image_present "$image" || return 0
  ! is_default "$1" || ! registry_is_silent || return 1
  STEP_TAIL=1 run_step "pulling $image" docker pull --quiet "$image" && return 0
  is_default "$1" || fail 3 "$1=$image could not be pulled." 'Name an image that this machine can reach, or load it first: docker load --input FILE'
  registry_silent=1
  return 1
}

# Sets NODE_IMAGE, PROMETHEUS_IMAGE and, with ALERTS, ALERTMANAGER_IMAGE to images that exist.
ensure_images() {
  ensure_readable
  missing=''
  for variable in NODE_IMAGE PROMETHEUS_IMAGE ${ALERTS:+ALERTMANAGER_IMAGE}; do
    obtain_image "$variable" || missing="$missing $variable"
  done
  [ -z "$missing" ] || use_fallback_images
}

# Debian has no package of Grafana. grafana_missing gives the reason if the stack runs without it.
grafana_missing=''
ensure_grafana() { obtain_image GRAFANA_IMAGE || grafana_missing="no image $GRAFANA_IMAGE on this machine, and no registry answers"; }

# Makes mounted files readable for the containers' users, because the umask of this clone's owner may have made them private.
ensure_readable() {
  set -- prometheus grafana/grafana.ini grafana/provisioning grafana/dashboards docs/tutorial
  hidden=$(cd "$root" && find "$@" \( -type d ! -perm -005 -o -type f ! -perm -004 \) -print | head -n 1) && [ -n "$hidden" ] || return 0
  say "Making the configuration readable for the containers' users (chmod a+rX), because this clone's umask made it private."
  (cd "$root" && chmod -R a+rX "$@" 2>/dev/null) ||
    fail 1 "the containers' users may not read $root/$hidden." "As the owner of the files: cd $root && chmod -R a+rX $*"
}

# Succeeds if the images are still those of make load-images. They are then not rebuilt, because a build needs npm's registry.
are_loaded() {
  ids=$(docker image inspect --format '{{.Id}}' "$COMPOSE_PROJECT_NAME/app" "$COMPOSE_PROJECT_NAME/app:loaded" 2>/dev/null) &&
    [ "$(echo "$ids" | uniq | wc -l)" -eq 1 ] && say 'Not building: the images are those of make load-images (BUILD_IMAGES=yes replaces them).'
}

# Builds with bake, because Compose labels an image with the project that built it: every container of that image, such as a test's,
# would then appear to belong to the project.
build_images() {
  if [ "${BUILD_IMAGES:-$(! are_loaded || echo no)}" = no ]; then
    for image in app loadgen; do
      image_present "$COMPOSE_PROJECT_NAME/$image" || fail 3 "BUILD_IMAGES=no, and no image $COMPOSE_PROJECT_NAME/$image on this machine." 'Load it with: make load-images FILE=stack.tar'
    done
    return
  fi
  export BUILDX_BAKE_ENTITLEMENTS_FS=0 # the certificate authority's file is outside this folder
  run_step 'building the API and the load generator' docker buildx bake --progress plain --file "$root/docker-compose.yml" api loadgen ||
    fail 1 'an image could not be built; the last lines above say why.'
}
