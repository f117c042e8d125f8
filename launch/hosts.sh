# The hosts of launch/train: reading their list, and finding those that answer. Sourced; sets the arrays host_names and
# host_slots, and from them start_hosts, what mpirun gets, and start_slots, how many ranks there is room for.

shopt -s extglob
host_names=()
host_slots=()

# add_host NAME SLOTS
add_host() {
  [[ $1 =~ ^[A-Za-z0-9_.:-]+$ && $1 != -* && $2 =~ ^[1-9][0-9]{0,5}$ ]] ||
    stop 64 "host '$1' with '$2' ranks: expected NAME:RANKS, for example node1:4"
  host_names+=("$1")
  host_slots+=("$2")
}

# add_entry a:2
add_entry() {
  case $1 in
  *:*) add_host "${1%:*}" "${1##*:}" ;;
  *) add_host "$1" 1 ;;
  esac
}

# read_hosts a:2,b:2
read_hosts() {
  local entries entry
  IFS=$', \t\n' read -ra entries <<<"$1"
  ((${#entries[@]})) || stop 64 "--hosts '$1' names no host: expected NAME:RANKS,..., for example node1:4,node2:4"
  for entry in "${entries[@]}"; do add_entry "$entry"; done
}

# read_hostfile FILE: a host and its ranks a line, as mpirun reads them (a slots=2, b cpu = 2 max_slots=4) or as --hosts does
# (a:2). Without a number, a line is one rank.
read_hostfile() {
  local line number=0 word words slots
  [[ -f $1 && -r $1 || -p $1 ]] || stop 64 "cannot read the hostfile $1"
  while IFS= read -r line || [[ $line ]]; do # the last line may have no end
    ((++number > 1)) || line=${line#$'\xef\xbb\xbf'}
    line=${line%%#*}
    line=${line//*([[:space:]])=*([[:space:]])/=}
    read -ra words <<<"${line//$'\r'/ }"
    ((${#words[@]})) || continue
    slots=
    for word in "${words[@]:1}"; do
      if [[ $word =~ ^(slots|cpus?|count)=([0-9]+)$ ]]; then
        slots=${BASH_REMATCH[2]}
      elif [[ ! $word =~ ^(max|slots|cpus?|count)[-_]?(max|slots|cpus?|count)=[0-9]+$ ]]; then
        stop 64 "hostfile $1, line $number: '$word' after the host ${words[0]}: expected slots=RANKS"
      fi
    done
    if [[ $slots ]]; then add_host "${words[0]}" "$slots"; else add_entry "${words[0]}"; fi
  done <"$1"
  ((${#host_names[@]})) || stop 64 "the hostfile $1 names no host"
}

total_slots() {
  local sum=0 slots
  for slots in "${host_slots[@]}"; do sum=$((sum + slots)); done
  echo "$sum"
}

most_slots() { printf '%s\n' "${host_slots[@]}" | sort -n | tail -1; }

# is_here NAME: whether that is this host.
is_here() {
  case " localhost 127.0.0.1 $(hostname) $(hostname -s 2>/dev/null) $(hostname -I 2>/dev/null) " in
  *" $1 "*) ;;
  *) return 1 ;;
  esac
}

# The command that reaches another host: what mpirun would use.
remote_shell() {
  local agent=ssh name
  for name in "${mpi_agents[@]}"; do
    [[ -z ${!name-} ]] || agent=${!name}
  done
  agent=${agent%%:*}
  agent=${agent%"${agent##*[! ]}"}
  [[ ${agent%% *} != ssh && ${agent%% *} != */ssh ]] || agent+=' -o BatchMode=yes -o ConnectTimeout=5'
  echo "$agent"
}

# answers NAME: whether the host is there and sees the program. Ten seconds are enough for a slow login.
answers() {
  ! is_here "$1" || return 0
  # shellcheck disable=SC2046 # the remote shell is words
  timeout -k 1 10 $(remote_shell) "$1" "test -x $(printf %q "$icp")" &>/dev/null </dev/null
}

# choose_hosts: sets start_hosts and start_slots to the hosts that answer, and missing_hosts to the others.
choose_hosts() {
  local index probes=() here=()
  start_slots=0 missing_hosts=
  for index in "${!host_names[@]}"; do
    answers "${host_names[index]}" &
    probes+=($!)
  done
  for index in "${!host_names[@]}"; do
    if wait "${probes[index]}"; then
      here+=("${host_names[index]}:${host_slots[index]}")
      start_slots=$((start_slots + host_slots[index]))
    else
      missing_hosts+="${missing_hosts:+, }${host_names[index]}"
    fi
  done
  start_hosts=$(IFS=, && echo "${here[*]}")
}

# hosts_in_use RANKS: on how many of start_hosts that many ranks are, which take their slots in order.
hosts_in_use() {
  local rest=$1 entry entries names=' ' count=0
  IFS=, read -ra entries <<<"$start_hosts"
  for entry in "${entries[@]}"; do
    ((rest > 0)) || break
    [[ $names == *" ${entry%:*} "* ]] || ((count += 1))
    names+="${entry%:*} "
    rest=$((rest - ${entry##*:}))
  done
  echo "$count"
}

# are_all_here: whether start_hosts are this host alone.
are_all_here() {
  local entry entries
  IFS=, read -ra entries <<<"$start_hosts"
  for entry in "${entries[@]}"; do is_here "${entry%:*}" || return 1; done
}
