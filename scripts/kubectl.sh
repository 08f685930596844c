# Finds kubectl and the cluster that is meant. Sourced after console.sh and engine.sh, never run.
# Result: kubectl_program names the program, or kubectl_missing says why there is none; context is the context, confirmed.

kubectl_missing=''
namespace=observability-stack

# kubectl brings kustomize 5 since 1.27; what this repository's kustomizations use is in it.
find_kubectl() {
  kubectl_program=$(command -v "${KUBECTL:-kubectl}") || kubectl_program=''
  if [ -z "$kubectl_program" ] && may_install && is_debian; then
    run_step "unpacking kubectl from Debian $debian_suite" unpack_from_debian kubectl kubectl /usr/local/bin &&
      kubectl_program=/usr/local/bin/kubectl
  fi
  [ -n "$kubectl_program" ] || kubectl_missing='no kubectl on this machine, and none could be installed'
}

require_kubectl() {
  find_kubectl
  [ -z "$kubectl_missing" ] || fail 3 "$kubectl_missing." 'Install it (https://kubernetes.io/docs/tasks/tools/), then run this again.' "$(why_no_install)"
}

cluster() { "$kubectl_program" --context "$context" "$@"; }
in_namespace() { cluster --namespace "$namespace" "$@"; }

# choose_context VERB: the current context, or the one that K8S_CONTEXT names. What is not local has to be confirmed, by that
# variable or at the terminal. Every later call names the context: that the current one changes meanwhile does no harm.
choose_context() {
  context=${K8S_CONTEXT:-$("$kubectl_program" config current-context 2>/dev/null)} ||
    fail 3 'kubectl has no current context, so it is not known which cluster is meant.' \
      'Choose one (kubectl config use-context NAME), name it (K8S_CONTEXT=NAME), or make one (kind create cluster).'
  case $context in
    "${K8S_CONTEXT:-}" | kind-* | k3d-* | minikube | microk8s | docker-desktop | orbstack | rancher-desktop | colima | colima-*) ;;
    *) confirm_context "$1" ;;
  esac
  cluster get --raw /readyz >/dev/null 2>&1 ||
    fail 3 "the cluster of the context \"$context\" does not answer: $(cluster get --raw /readyz 2>&1 | tail -n 1)"
}

confirm_context() {
  server=$("$kubectl_program" config view --minify --output 'jsonpath={.clusters[0].cluster.server}')
  if ! [ -t 0 ] || ! [ -t 2 ]; then
    fail 2 "the context \"$context\" ($server) is not a local cluster, and there is no terminal to confirm it at." \
      "If it is meant: K8S_CONTEXT=$context"
  fi
  printf 'The context "%s" (%s) is not a local cluster.\nType its name to %s there: ' "$context" "$server" "$1" >&2
  read -r answer
  [ "$answer" = "$context" ] || fail 2 "\"$answer\" is not its name: nothing was changed."
}
