#!/bin/sh
# Records what a Xen PV domain does with its p2m list. For Linux 6.1 (form 5.17) on x86-64.
#
#   sh record.sh FOLDER [COMMAND [ARGUMENT...]]   records while COMMAND runs, or else until Enter or Ctrl-C
#   sh record.sh --disarm                         removes what a killed recording (kill -9) has left armed
#
# Run it as root in the domain. FOLDER is the recording: copy it to where p2m is, and run: p2m replay FOLDER
#
# A probe that the kernel refuses is told, and left out: static functions are often inlined. Begin and end when little
# happens: a call under way at that moment is recorded by half, which makes the verdict "incomplete".

set -u

kernel='6.1'
series='6.1'
clock='counter'
buffer_kib=16384 # of each CPU
tracepoints=''
tracefs=${P2M_TRACEFS-} # found below where it is not set

probes() {
  cat <<'PROBES'
p:p2m/__set_phys_to_machine __set_phys_to_machine pfn=%di mfn=%si
r64:p2m/__set_phys_to_machine_ret __set_phys_to_machine ret=$retval:u8
p:p2m/set_phys_to_machine set_phys_to_machine pfn=%di mfn=%si
r64:p2m/set_phys_to_machine_ret set_phys_to_machine ret=$retval:u8
p:p2m/get_phys_to_machine get_phys_to_machine pfn=%di
r64:p2m/get_phys_to_machine_ret get_phys_to_machine mfn=$retval
p:p2m/xen_alloc_p2m_entry xen_alloc_p2m_entry pfn=%di
r64:p2m/xen_alloc_p2m_entry_ret xen_alloc_p2m_entry ret=$retval:s32
p:p2m/alloc_p2m_pmd alloc_p2m_pmd addr=%di
r64:p2m/alloc_p2m_pmd_ret alloc_p2m_pmd ret=$retval
p:p2m/alloc_p2m_page alloc_p2m_page
r64:p2m/alloc_p2m_page_ret alloc_p2m_page page=$retval
p:p2m/free_p2m_page free_p2m_page page=%di
p:p2m/p2m_mid_mfn_init p2m_mid_mfn_init
p:p2m/set_foreign_p2m_mapping set_foreign_p2m_mapping map_ops=%di kmap_ops=%si pages=%dx count=%cx:u32
r64:p2m/set_foreign_p2m_mapping_ret set_foreign_p2m_mapping ret=$retval:s32
p:p2m/clear_foreign_p2m_mapping clear_foreign_p2m_mapping unmap_ops=%di kunmap_ops=%si pages=%dx count=%cx:u32
r64:p2m/clear_foreign_p2m_mapping_ret clear_foreign_p2m_mapping ret=$retval:s32
p:p2m/xen_create_contiguous_region xen_create_contiguous_region pstart=%di order=%si:u32 bits=%dx:u32
r64:p2m/xen_create_contiguous_region_ret xen_create_contiguous_region ret=$retval:s32
p:p2m/xen_destroy_contiguous_region xen_destroy_contiguous_region pstart=%di order=%si:u32
p:p2m/xen_zap_pfn_range xen_zap_pfn_range vaddr=%di order=%si:u32
p:p2m/xen_remap_exchanged_ptes xen_remap_exchanged_ptes vaddr=%di order=%si:s32
PROBES
}

say() {
  printf 'record: %s\n' "$*" >&2
}

die() {
  say "error: $*"
  exit 1
}

# VALUE FILE
write() {
  { printf '%s\n' "$1" >"$2"; } 2>/dev/null || die "the kernel does not take $1 in $2"
}

find_tracefs() {
  if [ -z "$tracefs" ]; then
    [ "$(id -u)" = 0 ] || die 'want root'
    tracefs=/sys/kernel/tracing
    [ -e "$tracefs/kprobe_events" ] || mount -t tracefs tracefs "$tracefs" 2>/dev/null
    # Before 4.1 it was a part of debugfs.
    [ -e "$tracefs/kprobe_events" ] || tracefs=/sys/kernel/debug/tracing
    [ -e "$tracefs/kprobe_events" ] || mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null
  fi
  [ -w "$tracefs/kprobe_events" ] || die "no $tracefs/kprobe_events to write to: want CONFIG_KPROBE_EVENTS"
  instance=$tracefs/instances/p2m
}

# PROBE MESSAGE
refused() {
  event=${1#*/}
  message=${2##*: }
  reason=$(tail -n 3 "$tracefs/error_log" 2>/dev/null | sed -n 's/.*error: //p')
  [ -n "$reason" ] || reason=${message:-the kernel does not say why}
  printf 'REFUSED: %s :: %s\n' "$1" "$reason" >>"$folder/kprobes-refused.txt"
  say "refused: ${event%% *}: $reason"
}

# Always >>, as > removes all probes. A return without its entry would look like a lost event.
arm() {
  armed=0
  entry=
  while read -r probe; do
    case $probe in
      p*) entry= ;;
      *) [ -n "$entry" ] || continue ;;
    esac
    if message=$({ printf '%s\n' "$probe" >>"$tracefs/kprobe_events"; } 2>&1); then
      armed=$((armed + 1))
      entry=$probe
    else
      refused "$probe" "$message"
    fi
  done <<ARMED
$(probes)
ARMED
  [ "$armed" -gt 0 ] || die 'the kernel takes none of the probes: is this a Xen PV domain?'
}

disarm() {
  [ ! -d "$instance" ] || rmdir "$instance" || say "still there: $instance"
  left=$(sed -n 's|^[pr][0-9]*:\(p2m/[^ ]*\).*|\1|p' "$tracefs/kprobe_events")
  for event in $left; do
    printf '%s\n' "-:$event" >>"$tracefs/kprobe_events" || say "still armed: $event"
  done
}

begin() {
  mkdir "$instance" || die "cannot make $instance"
  write 0 "$instance/tracing_on"
  write "$clock" "$instance/trace_clock"
  write "$buffer_kib" "$instance/buffer_size_kb"
  # Keeps the newest events: only then does the header of the trace count the lost ones.
  write overwrite "$instance/trace_options"
  write 1 "$instance/events/p2m/enable"
  for tracepoint in $tracepoints; do
    [ ! -e "$instance/events/$tracepoint/enable" ] || write 1 "$instance/events/$tracepoint/enable"
  done
  write 1 "$instance/tracing_on"
}

# replay.json comes last: a folder that has one is whole.
save() {
  log=trace.txt
  cat "$instance/trace" >"$folder/$log" || die "cannot save $folder/$log"
  gzip -f "$folder/$log" 2>/dev/null && log=$log.gz
  for cpu in "$instance"/per_cpu/cpu*; do
    printf '== %s\n' "${cpu##*/}"
    cat "$cpu/stats"
  done >"$folder/ring-stats.txt"
  sed -n '/^[pr][0-9]*:p2m\//p' "$tracefs/kprobe_events" >"$folder/kprobe_events"
  cat "$tracefs/kprobe_profile" >"$folder/kprobe_profile.after"
  cat "$instance/trace_clock" >"$folder/trace_clock"
  cat >"$folder/replay.json" <<JSON || die "cannot save $folder/replay.json"
{
  "kernel": "$release",
  "steps": [{ "from": null, "log": "$log", "to": null }]
}
JSON
}

report() {
  events=0 lost=0 missed=0
  while read -r what count; do
    case $what in
      entries:) events=$((events + count)) ;;
      overrun:) lost=$((lost + count)) ;;
      dropped) lost=$((lost + ${count##* })) ;;
    esac
  done <"$folder/ring-stats.txt"
  while read -r event _ count; do
    case $(probes) in
      *":p2m/$event "*) missed=$((missed + count)) ;;
    esac
  done <"$folder/kprobe_profile.after"
  [ "$lost" -eq 0 ] || say "lost $lost events: record again with a larger buffer (--buffer-kib) or fewer probes"
  [ "$missed" -eq 0 ] || say "missed $missed calls or returns: see $folder/kprobe_profile.after"
  say "saved $events events: p2m replay $folder"
}

case ${1-} in
  --disarm)
    find_tracefs
    disarm
    exit 0
    ;;
  '' | -*)
    printf 'usage: sh %s FOLDER [COMMAND [ARGUMENT...]], or sh %s --disarm\n' "$0" "$0" >&2
    exit 2
    ;;
esac
folder=$1
shift

[ "$(uname -m)" = x86_64 ] || die "this machine is $(uname -m): the probes read the registers of x86-64"
release=$(uname -r)
case $release in
  "$series" | "$series"[!0-9]*) ;;
  *) [ -z "$series" ] || say "these are the probes for Linux $kernel, this is $release: p2m record-script --kernel $release" ;;
esac
[ ! -e "$folder/replay.json" ] || die "$folder holds a recording already"
find_tracefs
if [ -d "$instance" ] || [ -d "$tracefs/events/p2m" ]; then
  die "probes are armed already: end that recording, or sh $0 --disarm"
fi
mkdir -p "$folder" || exit 1
rm -f "$folder/kprobes-refused.txt"

trap disarm EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM
arm
begin
# Ctrl-C ends the child, not us: what was recorded is saved.
trap : INT
if [ $# -gt 0 ]; then
  "$@" || say "exit code $?: $*"
else
  say "$armed probes are armed: Enter or Ctrl-C ends the recording"
  sh -c 'read -r line'
fi
trap '' INT
write 0 "$instance/tracing_on"
save
report
