# How the scripts of this folder run their programs; sourced by common.sh, never run.
#
# Every process runs in a session of its own, and all of a job end together: when one of them fails,
# and when the script or, in the background, the process whose number it printed is ended, by
# whatever signal.
# common.sh sets `python`, job_folder.sh `log_output`, nodes.sh `first_rank`.
# shellcheck disable=SC2154
set -euo pipefail
log= # the one to look at
names=() logs=() sizes=() processes=()
messages= # standard error, while it is held back

# heed SIGNAL...: they end the job, with a line.
heed() {
    local signal
    for signal in "$@"; do
        # shellcheck disable=SC2064  # the signal of now
        trap "interrupted $signal" "$signal"
    done
}
heed INT TERM HUP

# start_job LOG PROGRAM ARGUMENT...: one process, in the folder of LOG, which is made for it unless
# it is the current one or the model's.
start_job() {
    program=("${@:2}")
    prepare_log "$1"
    start "$1" run_program "$python"
}

# start_on_gpus LOG PROGRAM ARGUMENT...: DEVICE_NUM processes, by mpirun where there is one.
start_on_gpus() {
    if [[ ${DEVICE_TARGET:-GPU} == GPU && ${NNODES:-1} == 1 && -n $(command -v mpirun) ]]; then
        program=("${@:2}")
        prepare_log "$1"
        start "$1" run_program mpirun -n "$DEVICE_NUM" --allow-run-as-root \
            --output-filename "$log_output" --merge-stderr-to-stdout "$python"
    else
        start_workers "$@"
    fi
}

# start_workers LOG PROGRAM ARGUMENT...: DEVICE_NUM processes on each node. {} in LOG stands for a
# worker's number; without it, LOG is the node's first worker's. All run in that one's folder, where
# it saves its checkpoints.
start_workers() {
    local i folder others=$1
    program=("${@:2}")
    use_nodes
    find_port_and_cores
    folder=$(dirname "$(numbered "$1" "$first_rank")")
    [[ $1 == *{}* ]] || others=$folder/$log_output/worker_{}.log
    worker_logs=("$(absolute "$(numbered "$1" "$first_rank")")")
    for ((i = 1; i < DEVICE_NUM; i++)); do
        worker_logs+=("$(absolute "$(numbered "$others" "$((first_rank + i))")")")
    done
    for i in "${!worker_logs[@]}"; do
        ((i > 0)) && [[ $1 != *{}* ]] ||
            DEVICE_ID=$i RANK_ID=$((first_rank + i)) prepare_log "${worker_logs[i]}"
    done
    resuming || keep_old "$folder/$log_output"
    mkdir -p -- "$folder/$log_output"
    for i in "${worker_logs[@]}" "$folder/$log_output/scheduler.log"; do
        open_log "$i"
    done
    echo "worker N's log is $(visible "$(absolute "$(numbered "$others" N)")")"
    start "${worker_logs[0]}" run_workers
}

# Sets `port`, MASTER_PORT or else one that nobody uses, and `cores`, the numbers of those that this
# process may use.
find_port_and_cores() {
    local found
    found=$("$python" -c 'import os, socket, sys
server = socket.socket()
server.bind(("", int(sys.argv[1])))
print(server.getsockname()[1], *sorted(os.sched_getaffinity(0)), sep="\n")' \
        "$( ((NODE_RANK == 0)) && echo "${MASTER_PORT:-0}" || echo 0)" 2> /dev/null) ||
        fail "MASTER_PORT=${MASTER_PORT:-} is in use, or no port; give another, or leave it unset"
    mapfile -t cores <<< "$found"
    port=${cores[0]}
    ((NODE_RANK == 0)) || port=$MASTER_PORT
    cores=("${cores[@]:1}")
}

# start LOG LAUNCHER...: runs a job in the folder of LOG, to its end with WAIT=1, else in the
# background.
start() {
    log=$(absolute "$1")
    cd -- "$(dirname "$log")"
    if [[ ${WAIT:-0} == 1 ]]; then
        printf 'running; the log is %q\n' "$log"
        supervise "${@:2}" || {
            report
            exit "$code"
        }
    else
        (
            trap '' HUP
            heed TERM
            supervise "${@:2}" || report
        ) < /dev/null >> "$log" 2>&1 &
        printf 'started process %s; follow it with: tail -f %q\n' "$!" "$log"
    fi
}

run_program() {
    launch "${program[0]##*/}" "$log" "$@" "${program[@]}"
}

# The scheduler and the workers, as msrun would start them, but so that all of them are watched.
run_workers() {
    local i rank bind=()
    export MS_WORKER_NUM=$RANK_SIZE MS_TOPO_TIMEOUT=${MS_TOPO_TIMEOUT:-600}
    export MS_SCHED_HOST=$MASTER_ADDR MS_SCHED_PORT=$port
    # To files, as MindSpore's own log would have the last word in those of the workers.
    export GLOG_logtostderr=${GLOG_logtostderr:-0} GLOG_log_dir=${GLOG_log_dir:-$PWD/$log_output}
    for i in "${!worker_logs[@]}"; do
        if ((${#cores[@]} >= DEVICE_NUM)); then
            bind=(taskset -c "$(share "$i" "${cores[@]}")")
        fi
        rank=$((first_rank + i))
        MS_ROLE=MS_WORKER MS_NODE_ID=$rank DEVICE_ID=$i RANK_ID=$rank \
            launch "worker $rank" "${worker_logs[i]}" "${bind[@]}" "$python" "${program[@]}"
    done
    ((NODE_RANK > 0)) || MS_ROLE=MS_SCHED RANK_ID=0 \
        launch "the scheduler" "$PWD/$log_output/scheduler.log" "$python" "${program[@]}"
}

# share WORKER CORE...: the worker's part of the cores, as a list with commas.
share() {
    local IFS=, first next
    first=$(($1 * ($# - 1) / DEVICE_NUM))
    next=$((($1 + 1) * ($# - 1) / DEVICE_NUM))
    printf '%s\n' "${*:first + 2:next - first}"
}

# launch NAME LOG COMMAND...: starts a process of the job, its output going to the end of LOG.
launch() {
    names+=("$1")
    logs+=("$2")
    sizes+=("$(wc -c < "$2")")
    setsid "${@:3}" < /dev/null >> "$2" 2>&1 {lifeline}>&- {messages}>&- &
    processes+=("$!")
    echo "$!" >&"$lifeline"
}

# Runs LAUNCHER..., and waits for the processes that it launches. Unless all end well, `failed` is
# the number of the first that did not, and `code` its exit code, which is returned.
supervise() {
    local i left remaining
    names=() logs=() sizes=() processes=() failed='' code=0
    # The numbers of the processes go into a pipe. Its end means that this shell is no more, though
    # it was killed: then a process of another session ends what it has left behind.
    exec {lifeline}> >(exec setsid bash -c "$(declare -f end_orphans); end_orphans" &> /dev/null)
    # Bash has a line of its own about a process that a signal has ended, whenever it learns of it.
    exec {messages}>&2
    {
        "$@"
        left=("${processes[@]}")
        remaining=${#left[@]}
        [[ ${names[-1]} != "the scheduler" ]] || remaining=$((remaining - 1))
        while ((remaining > 0)) && [[ -z $failed ]]; do
            wait -n "${left[@]}" || true
            for i in "${!left[@]}"; do
                ! kill -0 "${left[i]}" || continue
                wait "${left[i]}" || code=$?
                if ((code > 0)); then
                    failed=$i
                    break
                fi
                unset "left[i]"
                [[ ${names[i]} == "the scheduler" ]] || remaining=$((remaining - 1))
            done
        done
        end_processes "$((code > 0 ? 50 : 0))"
        wait "${processes[@]}" || true
    } 2> /dev/null
    exec {lifeline}>&- {messages}>&-
    messages=
    return "$code"
}

# Ends the process groups whose numbers were read, once there is nothing more to read.
end_orphans() {
    local groups
    trap '' INT TERM HUP
    mapfile -t groups
    groups=("${groups[@]/#/-}")
    kill -TERM -- "${groups[@]}" && sleep 3 && kill -KILL -- "${groups[@]}"
}

# end_processes TENTHS: asks what is left to end, and ends it after so many tenths of a second.
end_processes() {
    local i
    kill -TERM -- "${processes[@]/#/-}" 2> /dev/null || true
    for ((i = 0; i < $1; i++)); do
        kill -0 "${processes[@]}" 2> /dev/null || break
        sleep 0.1
    done
    kill -KILL -- "${processes[@]/#/-}" 2> /dev/null || true
}

interrupted() {
    local text="interrupted (SIG$1)${log:+; the log is $log}"
    trap '' INT TERM HUP
    end_processes 50
    [[ ${program[0]:-} != */train.py ]] || text+="; --resume auto goes on from what was saved"
    complain "$text"
    exit $((128 + $(kill -l "$1")))
}

# How the process that failed ended.
how_it_ended() {
    local text="ended with exit code $code"
    ((code <= 128)) || text="was ended by signal $((code - 128)) ($(kill -l "$code"))"
    case $code in
    135 | 136 | 139) text+="; damaged images can do that, which the data doctor names" ;;
    esac
    ((code != 137)) || text+=", as the system does when memory runs out"
    [[ $(df --output=avail -- "${logs[failed]}" | tail -n 1) == *[1-9]* ]] ||
        text+="; its disk is full"
    printf '%s\n' "$text"
}

# Says in one line on stderr which process failed, how, and what it said last.
report() {
    local path=${logs[failed]} said
    local output=(tail -c "+$((sizes[failed] + 1))" -- "$path")
    said=$("${output[@]}" | grep -a '^error: ' | tail -n 1) || true
    if [[ -n $said ]] && ((code <= 128 || code == 130)); then
        complain "${said#error: } (see $path)"
        return
    fi
    said=$("${output[@]}" | tail -n 50 | grep -av '^[[:space:]]*$' | tail -n 1) || true
    said=${said:+, which ends with: ${said:0:300}}
    complain "${names[failed]} $(how_it_ended); its log is $path$said"
}
