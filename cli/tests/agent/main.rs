//! The real agent against real victims: processes of this machine, and nodes in
//! network namespaces made and removed by the tests.

mod bad_disk;
mod clock;
mod cut;
mod disk;
mod files;
mod injector;
mod limits;
mod netem;
mod pause;
mod process;
#[path = "../runner/mod.rs"]
mod runner;
mod wire;

fn main() -> std::process::ExitCode {
    runner::run(&[
        (
            "bad_disk::a_daemons_syncs_fail_until_it_is_healed",
            bad_disk::a_daemons_syncs_fail_until_it_is_healed,
        ),
        (
            "bad_disk::a_dead_server_gives_the_folder_back",
            bad_disk::a_dead_server_gives_the_folder_back,
        ),
        ("clock::a_c_program_with_spinning_threads", clock::a_c_program_with_spinning_threads),
        (
            "clock::a_rust_program_and_a_clock_less_than_a_second_off",
            clock::a_rust_program_and_a_clock_less_than_a_second_off,
        ),
        (
            "clock::a_clock_runs_at_another_rate_and_stands",
            clock::a_clock_runs_at_another_rate_and_stands,
        ),
        ("clock::a_clock_goes_forth_and_back", clock::a_clock_goes_forth_and_back),
        (
            "clock::a_program_that_is_started_later_reads_the_same_clock",
            clock::a_program_that_is_started_later_reads_the_same_clock,
        ),
        (
            "clock::a_java_program_and_a_program_that_it_starts",
            clock::a_java_program_and_a_program_that_it_starts,
        ),
        (
            "clock::what_processes_read_is_told_without_stopping_them",
            clock::what_processes_read_is_told_without_stopping_them,
        ),
        ("clock::a_killed_agents_clock_is_healed", clock::a_killed_agents_clock_is_healed),
        (
            "clock::etcd_goes_on_serving_under_another_clock",
            clock::etcd_goes_on_serving_under_another_clock,
        ),
        ("cut::packets_stop_one_way_in_both_families", cut::packets_stop_one_way_in_both_families),
        ("cut::two_cuts_are_healed_one_by_one", cut::two_cuts_are_healed_one_by_one),
        (
            "cut::two_cuts_of_one_link_both_count_and_either_holds",
            cut::two_cuts_of_one_link_both_count_and_either_holds,
        ),
        (
            "cut::only_conversations_with_a_port_are_cut",
            cut::only_conversations_with_a_port_are_cut,
        ),
        (
            "cut::a_killed_agents_rules_are_healed_and_foreign_ones_left_alone",
            cut::a_killed_agents_rules_are_healed_and_foreign_ones_left_alone,
        ),
        (
            "disk::what_was_not_synced_is_gone_and_what_was_is_there",
            disk::what_was_not_synced_is_gone_and_what_was_is_there,
        ),
        ("disk::it_is_so_on_xfs", disk::it_is_so_on_xfs),
        (
            "disk::a_successor_leaves_the_database_its_ground",
            disk::a_successor_leaves_the_database_its_ground,
        ),
        (
            "disk::ground_that_nobody_comes_for_is_lifted",
            disk::ground_that_nobody_comes_for_is_lifted,
        ),
        ("disk::a_full_disk_takes_no_byte", disk::a_full_disk_takes_no_byte),
        (
            "disk::a_hung_disk_holds_every_write_until_somebody_thaws_it",
            disk::a_hung_disk_holds_every_write_until_somebody_thaws_it,
        ),
        ("files::damage_is_found_when_it_wakes_up", files::damage_is_found_when_it_wakes_up),
        ("files::what_is_put_back_is_as_it_was", files::what_is_put_back_is_as_it_was),
        (
            "files::a_folder_is_put_back_as_it_was_before",
            files::a_folder_is_put_back_as_it_was_before,
        ),
        ("injector::every_fault_is_injected_observed_and_healed", || {
            runner::block_on(injector::every_fault_is_injected_observed_and_healed())
        }),
        ("injector::primaries_are_looked_up_when_the_time_has_come", || {
            runner::block_on(injector::primaries_are_looked_up_when_the_time_has_come())
        }),
        ("injector::two_partitions_at_once_are_both_seen_and_each_heals_alone", || {
            runner::block_on(injector::two_partitions_at_once_are_both_seen_and_each_heals_alone())
        }),
        ("injector::an_agent_that_dies_is_replaced_and_its_fault_called_failed", || {
            runner::block_on(injector::an_agent_that_dies_is_replaced_and_its_fault_called_failed())
        }),
        ("injector::half_a_fault_is_taken_back", || {
            runner::block_on(injector::half_a_fault_is_taken_back())
        }),
        (
            "netem::a_kernel_without_netem_is_refused_before_anything_is_touched",
            netem::a_kernel_without_netem_is_refused_before_anything_is_touched,
        ),
        ("netem::foreign_qdiscs_stay_and_ours_go", netem::foreign_qdiscs_stay_and_ours_go),
        (
            "limits::no_thread_goes_on_until_it_is_thawed",
            limits::no_thread_goes_on_until_it_is_thawed,
        ),
        ("limits::version_1_freezes_too", limits::version_1_freezes_too),
        ("limits::a_killed_agents_freeze_is_undone", limits::a_killed_agents_freeze_is_undone),
        (
            "limits::a_starved_daemon_runs_a_twentieth_of_the_time",
            limits::a_starved_daemon_runs_a_twentieth_of_the_time,
        ),
        ("limits::who_asks_for_more_memory_is_killed", limits::who_asks_for_more_memory_is_killed),
        ("limits::a_fork_and_a_thread_fail", limits::a_fork_and_a_thread_fail),
        ("limits::no_file_can_be_opened", limits::no_file_can_be_opened),
        (
            "limits::several_limits_at_once_are_healed_in_any_order_or_refused",
            limits::several_limits_at_once_are_healed_in_any_order_or_refused,
        ),
        ("pause::no_thread_runs_until_it_is_healed", pause::no_thread_runs_until_it_is_healed),
        (
            "pause::who_has_left_the_session_is_paused_and_killed_too",
            pause::who_has_left_the_session_is_paused_and_killed_too,
        ),
        ("pause::a_daemon_that_is_gone_is_named", pause::a_daemon_that_is_gone_is_named),
        ("pause::a_lost_controller_ends_the_pause", pause::a_lost_controller_ends_the_pause),
        ("pause::a_killed_agent_is_undone_by_heal", pause::a_killed_agent_is_undone_by_heal),
        ("pause::a_killed_agents_guard_undoes", pause::a_killed_agents_guard_undoes),
        ("pause::a_second_agent_takes_the_node_over", pause::a_second_agent_takes_the_node_over),
    ])
}
