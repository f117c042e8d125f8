# How launch/train starts mpirun, passes signals on, and starts again after a failure. Sourced; uses command, config,
# more, max_restarts and place of the script.

mpirun=   # the process of the start that runs
requests= # a letter for each time that the run was asked to stop

# ask USR1|INT|TERM|HUP: what a signal to launch/train becomes. mpirun forwards SIGUSR1 to the ranks at once and with no
# deadline, where it would kill them two seconds after SIGTERM. SIGHUP is never the second request, which ends at once: a
# terminal that closes sends it, and so does its shell, and who sends SIGTERM may send it right behind.
ask() {
  if [[ -n $requests && $1 == HUP ]]; then return; fi
  if [[ -n $requests && $1 != USR1 ]]; then
    say "ending at once"
    requests+=x
    [[ -z $mpirun ]] || end_now
    return
  fi
  [[ $1 == USR1 ]] || say "asked to stop: saving after this step (again: end at once)"
  requests+=x
  [[ -z $mpirun ]] || kill -"$mpi_stop" "$mpirun" 2>/dev/null || true
}

# mpirun ends its ranks within two seconds, or does not hear: then its whole session goes.
end_now() {
  kill -TERM "$mpirun" 2>/dev/null || true
  (
    trap - INT TERM USR1
    trap '' HUP
    sleep 5
    pkill -KILL -s "$mpirun"
  ) &>/dev/null &
}

# without_repetition: copies lines, as they come, but for the paragraphs in which mpirun repeats that a rank has ended with an
# error, after a line of ours that says which. It hears no signal: the last lines come after those.
without_repetition() {
  trap '' HUP INT TERM USR1
  # Open MPI 5.0.7 ends its paragraphs with a NUL, which stands before the next line then.
  # The first line of ours is kept in the hold space, where a line of dashes looks for it before it is held back itself.
  sed -u -E "
    s/^\x00+//
    /^icp: /h
    /^-{74}\$/!b
    G
    /\n./!{ s/\n\$//; b; }
    s/\n.*//
    \$b
    N
    /\n(${mpi_repetitions:-$^})/!{ P; D; }
    :paragraph
    \$b
    N
    /\n-{74}\$/!b paragraph
    d" || cat >/dev/null # a reader that has gone must not end mpirun
}

# end_folder MORE...: sets end_folder, where rank 0 can say that the run has ended: in its directory, or in the one that
# all run directories are made in. Nothing for what does not run.
end_folder() {
  local word before=
  end_folder=runs
  [[ $command == train ]] || end_folder=studies
  for word; do
    case $word in
    --dry-run | -h | --help) end_folder= && return ;;
    --run-dir=* | --directory=*) end_folder=${word#*=} ;;
    esac
    [[ ! $before =~ ^--(run-dir|directory)$ ]] || end_folder=$word
    before=$word
  done
  mkdir -p "$end_folder" || end_folder=
}

# run_once MORE...: one start; returns its status.
run_once() {
  local status=0 filter errors
  remove_leftovers
  check_scratch || return
  place || return
  if [[ $start_hosts ]] && ! are_all_here; then
    end_folder "$@"
    if [[ $end_folder ]]; then want_end_mark "$end_folder"; fi
  fi
  [[ -z $requests ]] || return 75 # asked to stop before it began
  trap 'ask USR1' USR1
  trap 'ask INT' INT
  trap 'ask TERM' TERM
  trap 'ask HUP' HUP
  exec {errors}> >(without_repetition >&2)
  filter=$!
  # In a session of its own, where Ctrl-C does not reach it.
  background setsid "$mpi_launcher" "${where[@]}" "$icp" "$command" "$config" "$@" 2>&"$errors"
  exec {errors}>&-
  mpirun=$child
  [[ -z $requests ]] || kill -"$mpi_stop" "$mpirun" 2>/dev/null || true
  await || status=$?
  mpirun=
  [[ -z ${ICP_END_MARK-} ]] || { proved "$status" && status=0 || status=$?; }
  for _ in {1..50}; do # its last lines come before ours
    kill -0 "$filter" 2>/dev/null || break
    sleep 0.1 || true
  done
  [[ -z $requests || $status != 138 ]] || say "stopped before the ranks could hear it: nothing new was saved"
  return "$status"
}

# run_with_restarts: until the run is done, was asked to stop, or gets nowhere.
run_with_restarts() {
  run='' # for the trap
  local resume='' rest=() index status before begun fruitless=0
  for ((index = 0; index < ${#more[@]}; index++)); do
    case ${more[index]} in
    --run-dir) run=${more[++index]-} ;;
    --run-dir=*) run=${more[index]#*=} ;;
    --resume) resume=${more[++index]-} ;;
    --resume=*) resume=${more[index]#*=} ;;
    *) rest+=("${more[index]}") ;;
    esac
  done
  if [[ -z $run ]]; then
    mkdir -p runs
    until run=runs/$(basename "${config%.*}")-$(date +%Y%m%d-%H%M%S) && mkdir "$run" 2>/dev/null; do
      [[ -d $run ]] || stop 74 "cannot make the run directory $run"
      sleep 1 # another run began in this second
    done
    trap 'rmdir "$run" 2>/dev/null || true' EXIT
  fi
  while true; do
    before=$(newest_step "$run")
    begun=$(mktemp)
    status=0
    run_once --run-dir "$run" ${resume:+--resume "$resume"} "${rest[@]}" || status=$?
    # A start that never came to its run has not done what --resume says: the next one still has to.
    [[ ! $run/config.yaml -nt $begun ]] || resume=auto
    rm -f "$begun"
    if ((status == 0)) || [[ $requests ]]; then return "$status"; fi
    # 85, 138: somebody else asked the ranks to stop.
    can_be_cured "$status" || return "$status"
    if (($(newest_step "$run") > before)); then fruitless=0; else fruitless=$((fruitless + 1)); fi
    wait_to_start "$status" "$fruitless" "step $(newest_step "$run")"
    [[ -z $requests ]] || return "$status"
  done
}

# sweep_with_restarts: the same of a study, which goes on by itself. Progress is whatever was saved.
sweep_with_restarts() {
  local directory=studies/$(basename "${config%.yaml}") index status begun saved fruitless=0
  for ((index = 0; index < ${#more[@]}; index++)); do
    case ${more[index]} in
    --directory) directory=${more[index + 1]-} ;;
    --directory=*) directory=${more[index]#*=} ;;
    esac
  done
  while true; do
    begun=$(mktemp)
    status=0
    run_once "${more[@]}" || status=$?
    saved=$(find "$directory" -newer "$begun" \( -name 'step-*.safetensors' -o -name result.json -o -name failed.json \) 2>/dev/null) || true
    rm -f "$begun"
    if ((status == 0)) || [[ $requests ]]; then return "$status"; fi
    can_be_cured "$status" || return "$status"
    if [[ $saved ]]; then fruitless=0; else fruitless=$((fruitless + 1)); fi
    wait_to_start "$status" "$fruitless" "what is saved"
    [[ -z $requests ]] || return "$status"
  done
}

# wait_to_start STATUS FRUITLESS FROM: before another start; gives up where too many in a row came to nothing.
wait_to_start() {
  local delay
  (($2 < max_restarts)) ||
    stop "$1" "ended with $1, $2 starts in a row without progress (newest checkpoint: $3): giving up"
  delay=$(($2 < 6 ? 1 << $2 : 60))
  say "ended with $1$(reason "$1"); starting again in $delay s from $3"
  sleep "$delay" &
  wait $! || true # a signal ends it
}

reason() {
  case $1 in
  137) echo " (a rank was killed: by hand, or for want of memory)" ;;
  205) echo " (a host was lost)" ;;
  esac
}
