# Sourced by the plan of a document: how its blocks are run, one after the other, in the folder of the document.
set -euo pipefail
# What the programs that go on have written.
logs=$1

# What goes on, by process id.
declare -A going=()

# Ends what goes on, and waits until it has. What has ended before was not what the document says.
stop() {
    local id ended=
    for id in "${!going[@]}"; do
        kill "$id" 2>/dev/null || ended+="${going[$id]}"$'\n'
    done
    going=()
    wait
    [[ -z $ended ]] || { echo "ended by itself: $ended" >&2; return 1; }
}
trap stop EXIT

# run WHERE COMMAND...
run() {
    echo "--- $1" >&2
    "${@:2}" </dev/null
}

# typing WHERE FILE ANSWER: at a terminal, where ANSWER is the answer to every question. A program that asks for a secret
# throws away what was typed before, so it is typed again and again.
typing() {
    echo "--- $1" >&2
    # waits: for a question, which only whoever asks it can see
    script --quiet --return --command "bash -euxo pipefail '$2' && touch '$2.done' || { touch '$2.done'; exit 1; }" /dev/null \
        < <(until [[ -e "$2.done" ]]; do echo "$3" && sleep 0.3; done) # waits: between two answers
}

# background WHERE FILE: each line is a program that goes on until the section ends.
background() {
    echo "--- $1" >&2
    local line
    while read -r line <&3; do
        [[ -n $line && $line != \#* ]] || continue
        start "$line"
    done 3<"$2"
}

# serving WHERE FILE: the same; each has to say something before the next comes.
serving() {
    echo "--- $1" >&2
    local line
    while read -r line <&3; do
        [[ -n $line && $line != \#* ]] || continue
        start "$line"
        until [[ -s $log ]]; do
            kill -0 $! 2>/dev/null || { echo "ended at once: $line" >&2; cat "$log.err" >&2; exit 1; }
            # waits: for the first line of output, which is looked for again and again
            sleep 0.05
        done
    done 3<"$2"
}

# start COMMAND: sets log, to the file of its output.
start() {
    log=$(mktemp -p "$logs")
    echo "+ $1 &" >&2
    bash -c "$1" </dev/null >"$log" 2>"$log.err" 3<&- &
    going[$!]=$1
}
