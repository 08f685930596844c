#!/bin/sh
# runtime-root.sh FOLDER PROGRAM...: makes the root file system of an image that has Node, these programs, the libraries that
# they are linked with, and nothing else: no package manager, compiler or shell beyond those named. Called by the Dockerfile, in
# an image that has all of it: upstream's, or the fallback made of Debian's packages. On disk, the latter loses npm with the 918
# packages of Debian's Node under it (203 MB), Python and Perl (54 MB), 41 of 174 MB of libraries (those that Node does not need, and
# three quarters of ICU's data), other programs (34 MB), headers and static libraries (23 MB), maps, typings and tests of our packages
# (17 MB), and caches of apt and dpkg (15 MB).
set -eu
folder=$1
shift

# copy FILE...: at the same place, whatever links lead there.
copy() {
  for file in "$@"; do
    place=$folder$(realpath "$(dirname "$file")")
    mkdir -p "$place"
    [ -e "$place/${file##*/}" ] || cp -L "$file" "$place/"
  done
}

# Where /bin and the like are links, they are links there too.
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

# Debian's Node has some of its own modules in files, whose names are in the library, and reads the system's configuration of OpenSSL.
find "$folder" -type f -exec grep -aohE '/usr/share/nodejs/[A-Za-z0-9_./-]+\.js' {} + | sort -u |
  while read -r file; do [ ! -e "$file" ] || copy "$file"; done
for file in /etc/ssl/certs/ca-certificates.crt /etc/ssl/openssl.cnf /usr/lib/ssl/openssl.cnf /usr/lib/ssl/cert.pem /etc/nsswitch.conf; do
  [ ! -e "$file" ] || copy "$file"
done

mkdir -p "$folder/tmp" "$folder/etc" "$folder/var/lib"
chmod 1777 "$folder/tmp"
printf 'root:x:0:0::/:/sbin/nologin\nnode:x:1000:1000::/tmp:/sbin/nologin\n' >"$folder/etc/passwd"
printf 'root:x:0:\nnode:x:1000:\n' >"$folder/etc/group"
# It starts, and loads what it has in files.
chroot "$folder" "$(command -v node)" -e 'fetch("http://127.0.0.1:1").catch(() => console.log(process.version))'
