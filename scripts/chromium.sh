# Finds a Chromium for the tests that look at pages, and installs Debian's where things may be installed. Sourced after
# engine.sh, never run. Result: TEST_CHROMIUM names the program, or chromium_missing says why there is none.

chromium_missing=''

find_chromium() {
  for name in chromium chromium-browser google-chrome google-chrome-stable; do
    command -v "$name" && return 0
  done
  return 1
}

ensure_chromium() {
  TEST_CHROMIUM=${TEST_CHROMIUM:-$(find_chromium)}
  if [ -z "$TEST_CHROMIUM" ] && may_install && is_debian; then
    run_step 'apt-get install chromium' apt_install chromium && TEST_CHROMIUM=$(find_chromium)
  fi
  if [ -n "$TEST_CHROMIUM" ]; then
    export TEST_CHROMIUM
  else
    unset TEST_CHROMIUM
    chromium_missing='no Chromium on this machine, and none could be installed'
  fi
}
