# The places of launch/test-distributions: folders of Debian, virtual environments, and how a command is run in each. Sourced.

work=$root/.build/distributions
certificates=/etc/ssl/certs/ca-certificates.crt
mirror=${ICP_MIRROR:-http://deb.debian.org/debian}
tools=(git procps pkg-config g++ openssh-client ca-certificates libncurses6 libcurl4 libxml2 libedit2 libsqlite3-0 binutils
  tzdata python3 python3-venv hostname iproute2)
libraries=(libopenblas-dev libdnnl-dev zlib1g-dev libjpeg-dev libpng-dev)

# copy_to FOLDER: the repository's files as they are now. What is as old as its copy is left alone, so that only what has
# changed is built.
copy_to() {
  local file files=() stale
  mkdir -p "$1"
  while IFS= read -r -d '' file; do
    [[ ! -e $root/$file ]] || files+=("$file")
  done < <(cd "$root" && git ls-files -z --cached --others --exclude-standard | sort -zu)
  [[ ! -f $root/Package.resolved ]] || files+=(Package.resolved)
  printf '%s\0' "${files[@]}" | env -C "$root" xargs -0 cp -pu --parents -t "$1"
  while IFS= read -r -d '' stale; do
    [[ -e $root/$stale ]] || rm -f "$1/$stale"
  done < <(cd "$1" && find Sources Tests launch configs docs -type f -print0)
}

# make_debian FOLDER SUITE PACKAGES...
make_debian() {
  local folder=$1 suite=$2
  [[ ! -e $folder/srv/made ]] || return 0
  ((EUID == 0)) || stop "only root can make a folder of Debian"
  command -v debootstrap >/dev/null || apt_install debootstrap || stop "cannot install debootstrap, see above"
  say "making Debian $suite in $folder"
  mkdir -p "$folder"
  [[ -e $folder/usr/bin/apt-get ]] ||
    debootstrap --variant=minbase --include=ca-certificates "$suite" "$folder" "$mirror" >&2
  cp /etc/resolv.conf "$folder/etc/"
  inside "$folder" sh -c 'apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"' \
    sh "${@:3}" >&2
  touch "$folder/srv/made"
}

# inside FOLDER COMMAND...: runs it there, in namespaces of its own, so that nothing stays mounted.
inside() {
  local folder=$1 toolchain bound=()
  shift
  toolchain=$(readlink -f "$(command -v swift)")
  toolchain=${toolchain%/usr/bin/*}
  bound=("$toolchain")
  # Packages that git is told to take from a folder of this machine.
  mapfile -t -O 1 bound < <(git config --get-regexp 'url\..*\.insteadof' | sed -n 's|^url\.\(/[^ ]*\)\.insteadof .*|\1|p' | sort -u)
  [[ ! -e /etc/gitconfig ]] || cp /etc/gitconfig "$folder/etc/gitconfig"
  # Whom this machine trusts: behind some proxies that is more than Debian does.
  [[ ! -e $certificates ]] || cp "$certificates" "$folder$certificates"
  # unshare hears no SIGTERM: what runs there ends with this script.
  # shellcheck disable=SC2016 # for the inner shell
  setpriv --pdeathsig KILL unshare --mount --pid --fork --uts --kill-child bash -c '
    set -e
    folder=$1 toolchain=$2 count=$3
    shift 3
    mount --make-rprivate /
    mount --bind "$folder" "$folder" # ip wants / to be a mount
    mount -t proc proc "$folder/proc"
    mount -t tmpfs tmpfs "$folder/run"
    mount --rbind /sys "$folder/sys"
    mount --rbind /dev "$folder/dev"
    mount -t tmpfs -o size=2g tmpfs "$folder/dev/shm"
    for ((; count; count--)); do
      path=${1%/}
      shift
      mkdir -p "$folder$path"
      mount --bind "$path" "$folder$path"
      mount -o remount,ro,bind "$folder$path"
    done
    exec chroot "$folder" /usr/bin/env -i HOME=/root LANG=C.UTF-8 SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
      PATH="$toolchain/usr/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" "$@"' \
    inside "$folder" "$toolchain" "${#bound[@]}" "${bound[@]}" "$@" </dev/null
}

# in_debian SUITE COPY COMMAND...: in the folder's copy of the repository.
in_debian() {
  local folder=${ICP_CHROOTS:-$work}/$1
  make_debian "$folder" "$1" "${tools[@]}" "${libraries[@]}" libopenmpi-dev openmpi-bin
  copy_to "$folder/srv/$2"
  inside "$folder" env -C "/srv/$2" "${@:3}"
}

# with_mpich4 COMMAND...: Debian's MPICH, whose programs have names of their own beside Open MPI's.
with_mpich4() {
  # shellcheck disable=SC2016 # for the inner shell
  in_debian trixie icp-mpich4 bash -ec '
    export PATH=/opt/mpich4/bin:$PATH
    if [[ ! -e /opt/mpich4/bin/mpirun ]]; then
      apt-get update -q >&2
      apt-get install -q -y --no-install-recommends mpich libmpich-dev >&2
      mkdir -p /opt/mpich4/bin
      ln -sf /usr/bin/hydra_pmi_proxy /opt/mpich4/bin/ # mpiexec starts it from its own folder
      for name in mpicc mpiexec mpirun; do ln -sf "/usr/bin/$name.mpich" "/opt/mpich4/bin/$name"; done
    fi
    exec "$@"' bash "$@"
}

# rootless COMMAND...: as an ordinary user of a Debian that has none of the libraries. They lie in a folder of the user's, with
# the files of Debian's packages, and a folder with an Open MPI that can be moved.
rootless() {
  local folder=${ICP_CHROOTS:-$work}/rootless home=/home/icp
  make_debian "$folder" trixie "${tools[@]}"
  make_environment openmpi openmpi
  if [[ ! -e $folder$home/prefix ]]; then
    # shellcheck disable=SC2016 # for the inner shell
    inside "$folder" bash -ec '
      home=$1
      shift
      apt-get clean
      apt-get install -q -y --no-install-recommends --download-only "$@"
      mkdir -p "$home/unpacked"
      for package in /var/cache/apt/archives/*.deb; do dpkg -x "$package" "$home/unpacked"; done
      mv "$home/unpacked" "$home/prefix"' \
      bash "$home" "${libraries[@]}" >&2
  fi
  [[ -e $folder$home/mpi ]] || cp -R "$work/openmpi" "$folder$home/mpi"
  write_open_mpi_pc "$folder$home/pkgconfig" "$home/mpi"
  copy_to "$folder$home/icp-trainer"
  # The packages that are bound belong to root.
  printf '[safe]\n\tdirectory = *\n' >"$folder$home/.gitconfig"
  chown -R 1000:1000 "$folder$home"
  # shellcheck disable=SC2016 # for the inner shell
  inside "$folder" setpriv --reuid=1000 --regid=1000 --clear-groups env HOME="$home" bash -c '
    machine=$(uname -m)-linux-gnu
    headers=$HOME/prefix/usr/include libraries=$HOME/prefix/usr/lib/$machine
    export PATH=$HOME/mpi/bin:$PATH PKG_CONFIG_PATH=$HOME/pkgconfig
    export CPATH=$headers:$headers/$machine:$headers/$machine/openblas-pthread
    export LIBRARY_PATH=$libraries:$libraries/openblas-pthread LD_LIBRARY_PATH=$libraries:$libraries/openblas-pthread:$HOME/mpi/lib
    cd "$HOME/icp-trainer" && exec "$@"' bash "$@"
}

# in_environment NAME PACKAGE COMMAND...: with an MPI in a virtual environment, in a copy of the repository that is built
# against it.
in_environment() {
  local place=$work/$1 copy=$work/abi
  [[ $1 != openmpi ]] || copy=$work/openmpi-source
  make_environment "$1" "$2"
  [[ $1 != intel ]] || make_environment mpich mpich # for its header
  copy_to "$copy"
  env -C "$copy" PATH="$place/bin:$PATH" CPATH="$place/include:$work/mpich/include${CPATH:+:$CPATH}" \
    LIBRARY_PATH="$place/lib${LIBRARY_PATH:+:$LIBRARY_PATH}" LD_LIBRARY_PATH="$place/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" \
    PKG_CONFIG_PATH="$work/openmpi-pc${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}" "${@:3}"
}
# make_environment NAME PACKAGE
make_environment() {
  [[ ! -x $work/$1/bin/mpirun ]] || return 0
  python3 -m venv "$work/$1" && "$work/$1/bin/python" -m pip install -q --disable-pip-version-check "$2" >&2 ||
    stop "cannot install $2 into $work/$1"
}
# write_open_mpi_pc FOLDER PREFIX: Python's package of Open MPI has a header and a library, and nothing that says so.
write_open_mpi_pc() {
  mkdir -p "$1"
  printf 'Name: ompi-c\nDescription: Open MPI\nVersion: 5\nCflags: "-I%s"\nLibs: "-L%s"\n' "$2/include" "$2/lib" >"$1/ompi-c.pc"
}

is_place() { [[ $1 =~ ^(here|trixie|bookworm|forky|sid|openmpi|mpich|mpich4|intel|rootless)$ ]]; }

# in_place PLACE COMMAND...: in that place's copy of the repository.
in_place() {
  case $1 in
  here) env -C "$root" "${@:2}" ;;
  trixie | bookworm | forky | sid) in_debian "$1" icp-trainer "${@:2}" ;;
  openmpi)
    write_open_mpi_pc "$work/openmpi-pc" "$work/openmpi"
    in_environment openmpi "$@"
    ;;
  mpich) in_environment mpich "$@" ;;
  intel) in_environment intel impi-rt "${@:2}" ;;
  mpich4) with_mpich4 "${@:2}" ;;
  rootless) rootless "${@:2}" ;;
  esac
}
