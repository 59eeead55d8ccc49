export * from './conform/conform.js';
export * from './conform/vector.js';
export * from './conform/concurrency_vector.js';
export * from './conform/conform_concurrency.js';
export * from './explore/program.js';
export * from './explore/accesses.js';
export * from './explore/state_hash.js';
export * from './explore/count_outcomes.js';
export * from './explore/schedule.js';
export * from './explore/random.js';
export * from './explore/random_run.js';
export * from './explore/pct.js';
export * from './explore/burst.js';
export { algorithm, type AlgorithmText, type Invariant } from './algorithm/algorithm.js';
export type { AlgorithmProgram } from './algorithm/algorithm_program.js';
export type { AlgorithmView } from './algorithm/algorithm_view.js';
export {
  agent,
  DONE,
  machine,
  type AlgorithmAgent,
  type AlgorithmMachine,
  type MachineText,
  type Registers,
  type RowText,
} from './algorithm/machine.js';
export type { RowPort } from './algorithm/row_port.js';
export * from './algorithm/shared_memory.js';
export * from './algorithm/samples/classics.js';
export * from './algorithm/samples/small_algorithm.js';
export * from './scenario/scenario.js';
export * from './scenario/read_scenario.js';
export * from './scenario/inline_scenario.js';
export * from './scenario/schedule_log.js';
export * from './scenario/scenario_program.js';
export * from './window/window_scenario.js';
export type { LogWindow } from './window/window_calls.js';
export * from './recording/gunzip.js';
export * from './recording/recording.js';
export * from './run/replay_log.js';
export * from './run/replay_recording.js';
export * from './run/report.js';
export * from './run/running_replay.js';
export type { EventKeeper } from './run/replayed_domain.js';
export * from './recording/list_dump.js';
export * from './trace/opened_log.js';
export type { LogFormat } from './trace/sniff.js';
export { headerOf } from '../src/index.js';
export * from './events/event_player.js';
export * from './events/guarded_memory.js';
export * from './events/event_replay.js';
export * from './events/state_digest.js';
export * from './gallery/gallery_entry.js';
export * from './gallery/small_scenarios.js';
export * from './history/names.js';
export * from './history/history.js';
export * from './history/operation.js';
export * from './history/jepsen_reader.js';
export * from './history/print_history.js';
export * from './history/check_history.js';
export * from './history/log_registers.js';
export * from './history/small_register.js';
export { parseToken, tokenText, type Token } from './finding/token.js';
export * from './finding/quoted_word.js';
export * from './finding/token_replay.js';
export * from './finding/scenario_hash.js';
export * from './finding/run_length.js';
export * from './finding/told_path.js';
export * from './finding/step_table.js';
export * from './finding/critical_pair.js';
export * from './finding/broken_checks.js';
export * from './finding/finding_report.js';
export * from './finding/shrink.js';
export * from './mutate/changed_rows.js';
export * from './mutate/mutant.js';
export * from './mutate/mutants.js';
export * from './mutate/mutation_scenarios.js';
export * from './mutate/mutation_campaign.js';
export * from './mutate/mutant_table.js';
export * from './explore/dpor.js';
export * from './explore/fewest_preemptions.js';
export * from './explore/explore.js';
export * from './gallery/gallery.js';
export * from './gallery/run_small.js';
export * from './audit/timeline.js';
export * from './audit/moment.js';
export * from './audit/invariants/invariant.js';
export * from './audit/invariants/invariants.js';
export * from './audit/invariant_scan.js';
export * from './audit/index/entry_history.js';
export * from './audit/index/index_store.js';
export * from './audit/index/log_index.js';
export { LogFacts } from './audit/index/log_facts.js';
export * from './audit/bisection.js';
export * from './audit/list_runs.js';
export * from './audit/logged_operation.js';
export * from './audit/page_roles.js';
export { PfnConcern } from './audit/pfn_concern.js';
export * from './audit/mfn_concern.js';
export * from './audit/event_filter.js';
export * from './audit/event_words.js';
export * from './audit/inner_function.js';
export * from './audit/event_effect.js';
export * from './audit/log_stats.js';
export * from './audit/time_histogram.js';
export * from './audit/blame.js';
export * from './export/export_log.js';
export * from './audit/list_differences.js';
export * from './audit/first_difference.js';
export { ALL_KNOWN, compareWithDump, type Difference } from './run/compare.js';
export * from './travel/travel_session.js';
export { mutantKernel } from './stress/mutant_machines.js';
export { runStressJob, type StressJob } from './stress/stress_job.js';
export {
  StressThread,
  type Pauses,
  type StressTask,
  type ThreadEnd,
  type ThreadOperations,
} from './stress/stress_thread.js';
export * from './stress/mix.js';
export * from './stress/skew.js';
export * from './stress/workload.js';
export * from './stress/operation_stream.js';
export * from './stress/chaos.js';
export * from './stress/stress_layout.js';
export * from './stress/judge_round.js';
export * from './stress/round_finding.js';
export type { CutOperation } from './stress/open_calls.js';
export type { CallAccount, EventAccount, LostPage, PageAccount, RoundAccounts } from './stress/page_accounting.js';
export type { OutcomeRow } from './stress/outcome_table.js';
export type { Expectation, OutcomeMeaning } from './stress/operation_outcome.js';
export * from './stress/reproduce.js';
export * from './stress/known_defect.js';
export * from './stress/explain_finding.js';
export * from './stress/explain_round.js';
