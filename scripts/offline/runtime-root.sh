#!/bin/sh
# runtime-root.sh FOLDER PROGRAM...: creates the root file system of an image that contains only Node, these programs and the
# libraries that they are linked with: no package manager, no compiler, and no shell unless named. The Dockerfile calls it in a
# complete image: upstream's, or the fallback built from Debian's packages. On disk, the latter loses npm with the 918 packages of
# Debian's Node under it (203 MB), Python and Perl (54 MB), 41 of 174 MB of libraries (those that Node does not need, and three quarters
# of ICU's data), other programs (34 MB), headers and static libraries (23 MB), maps, typings and tests of our packages (17 MB), and
# caches of apt and dpkg (15 MB).
set -eu
folder=$1
shift

# copy FILE...: copies files to the same paths below FOLDER, with all links resolved.
copy() {
  for file in "$@"; do
    place=$folder$(realpath "$(dirname "$file")")
    mkdir -p "$place"
    [ -e "$place/${file##*/}" ] || cp -L "$file" "$place/"
  done
}

# Keeps /bin and similar folders as links if they are links in this image.
for name in bin sbin lib lib64; do
  if [ -L "/$name" ]; then
    mkdir -p "$folder/usr/$name"
    ln -s "usr/$name" "$folder/$name"
  fi
done

for program in node "$@"; do
  file=$(command -v "$program")
  copy "$file"
  # shellcheck disable=SC2046 # a list of paths
  copy $(ldd "$(realpath "$file")" | grep -o '/[^ ]*')
done

# Debian's Node loads some built-in modules from files, whose paths are in its library, and reads the system's OpenSSL configuration.
find "$folder" -type f -exec grep -aohE '/usr/share/nodejs/[A-Za-z0-9_./-]+\.js' {} + | sort -u |
  while read -r file; do [ ! -e "$file" ] || copy "$file"; done
for file in /etc/ssl/certs/ca-certificates.crt /etc/ssl/openssl.cnf /usr/lib/ssl/openssl.cnf /usr/lib/ssl/cert.pem /etc/nsswitch.conf; do
  [ ! -e "$file" ] || copy "$file"
done

mkdir -p "$folder/tmp" "$folder/etc" "$folder/var/lib"
chmod 1777 "$folder/tmp"
printf 'root:x:0:0::/:/sbin/nologin\nnode:x:1000:1000::/tmp:/sbin/nologin\n' >"$folder/etc/passwd"
printf 'root:x:0:\nnode:x:1000:\n' >"$folder/etc/group"
# Checks that Node starts and finds its modules.
chroot "$folder" "$(command -v node)" -e 'fetch("http://127.0.0.1:1").catch(() => console.log(process.version))'
