//! The main job from outside: the real command puts real databases on trial, on
//! local nodes, over SSH.
//!
//! Every test has a state folder and a store of its own. What is needed and is
//! not there (root, etcd) is said, and the test counts as ignored. The
//! bundled databases stand beside the command, where a build of the workspace
//! puts them.

mod clients;
mod convictions;
mod disks;
mod etcd;
mod interrupts;
mod kill;
mod liveness;
mod membership;
mod pages;
mod replay;
#[path = "../runner/mod.rs"]
mod runner;
#[path = "../cluster/scene.rs"]
mod scene;
mod seeds;
mod self_test;
mod setup;
mod strangers;
mod test_file;
#[path = "../cluster/traces.rs"]
mod traces;
mod trial;
mod usage;
mod vanish;

fn main() -> std::process::ExitCode {
    let tests: &[runner::Test] = &[
        ("clients::one_that_hangs_on_hello", clients::one_that_hangs_on_hello),
        ("clients::one_that_hangs_on_open", clients::one_that_hangs_on_open),
        ("clients::one_that_prints_garbage", clients::one_that_prints_garbage),
        ("clients::one_that_exits", clients::one_that_exits),
        ("clients::one_that_serves_other_workloads", clients::one_that_serves_other_workloads),
        ("clients::one_of_another_protocol", clients::one_of_another_protocol),
        ("clients::one_that_is_not_there", clients::one_that_is_not_there),
        ("clients::one_that_hangs_on_every_call", clients::one_that_hangs_on_every_call),
        (
            "clients::one_that_answers_every_call_with_garbage",
            clients::one_that_answers_every_call_with_garbage,
        ),
        ("clients::one_that_answers_another_call", clients::one_that_answers_another_call),
        ("clients::one_that_dies_on_every_call", clients::one_that_dies_on_every_call),
        (
            "clients::a_rate_of_zero_is_as_many_calls_as_possible",
            clients::a_rate_of_zero_is_as_many_calls_as_possible,
        ),
        ("convictions::wall_clocks_lose_writes", convictions::wall_clocks_lose_writes),
        (
            "convictions::a_paused_leader_wakes_up_beside_its_successor",
            convictions::a_paused_leader_wakes_up_beside_its_successor,
        ),
        (
            "convictions::a_paused_leader_is_no_register",
            convictions::a_paused_leader_is_no_register,
        ),
        (
            "convictions::the_correct_ones_are_acquitted_of_the_same_at_the_same_time",
            convictions::the_correct_ones_are_acquitted_of_the_same_at_the_same_time,
        ),
        (
            "disks::a_store_that_does_not_sync_loses_writes_with_the_power",
            disks::a_store_that_does_not_sync_loses_writes_with_the_power,
        ),
        ("disks::a_store_that_syncs_loses_none", disks::a_store_that_syncs_loses_none),
        (
            "etcd::etcd_is_linearizable_through_the_client_in_rust",
            etcd::etcd_is_linearizable_through_the_client_in_rust,
        ),
        (
            "etcd::etcd_keeps_what_it_synced_on_a_disk_that_tears_writes",
            etcd::etcd_keeps_what_it_synced_on_a_disk_that_tears_writes,
        ),
        (
            "etcd::etcd_is_linearizable_through_the_client_in_python",
            etcd::etcd_is_linearizable_through_the_client_in_python,
        ),
        (
            "interrupts::one_ctrl_c_ends_the_load_and_what_there_is_is_judged",
            interrupts::one_ctrl_c_ends_the_load_and_what_there_is_is_judged,
        ),
        ("interrupts::so_does_sigterm", interrupts::so_does_sigterm),
        (
            "interrupts::a_node_that_hangs_while_it_is_made_is_not_waited_for",
            interrupts::a_node_that_hangs_while_it_is_made_is_not_waited_for,
        ),
        ("interrupts::two_end_everything_at_once", interrupts::two_end_everything_at_once),
        (
            "kill::a_killed_controller_leaves_nothing_that_is_not_undone",
            kill::a_killed_controller_leaves_nothing_that_is_not_undone,
        ),
        (
            "liveness::one_that_does_not_come_back_is_convicted",
            liveness::one_that_does_not_come_back_is_convicted,
        ),
        ("liveness::one_that_comes_back_is_not", liveness::one_that_comes_back_is_not),
        (
            "membership::etcds_members_leave_and_come_back",
            membership::etcds_members_leave_and_come_back,
        ),
        (
            "membership::one_that_nobody_lets_go_keeps_its_data",
            membership::one_that_nobody_lets_go_keeps_its_data,
        ),
        (
            "membership::another_version_is_what_is_started_from_then_on",
            membership::another_version_is_what_is_started_from_then_on,
        ),
        (
            "membership::what_the_test_file_cannot_do_is_refused_before_the_run",
            membership::what_the_test_file_cannot_do_is_refused_before_the_run,
        ),
        (
            "pages::each_has_its_command_its_output_and_what_to_look_at",
            pages::each_has_its_command_its_output_and_what_to_look_at,
        ),
        (
            "pages::retries_at_once_are_many_more_than_retries_with_patience",
            pages::retries_at_once_are_many_more_than_retries_with_patience,
        ),
        (
            "replay::a_recorded_schedule_is_injected_again_though_the_test_file_has_changed",
            replay::a_recorded_schedule_is_injected_again_though_the_test_file_has_changed,
        ),
        (
            "seeds::a_seed_fixes_the_calls_and_the_faults",
            seeds::a_seed_fixes_the_calls_and_the_faults,
        ),
        (
            "setup::a_database_that_does_not_start_is_told_of_with_the_end_of_its_log",
            setup::a_database_that_does_not_start_is_told_of_with_the_end_of_its_log,
        ),
        (
            "setup::a_database_that_is_never_ready_is_waited_for_only_so_long",
            setup::a_database_that_is_never_ready_is_waited_for_only_so_long,
        ),
        (
            "setup::an_install_that_fails_is_told_of_with_what_it_said",
            setup::an_install_that_fails_is_told_of_with_what_it_said,
        ),
        (
            "self_test::a_majority_that_is_none_is_convicted",
            self_test::a_majority_that_is_none_is_convicted,
        ),
        (
            "self_test::increments_that_come_twice_are_convicted",
            self_test::increments_that_come_twice_are_convicted,
        ),
        (
            "self_test::write_skew_under_serializable_is_convicted",
            self_test::write_skew_under_serializable_is_convicted,
        ),
        ("setup::a_node_that_refuses_ssh_is_named", setup::a_node_that_refuses_ssh_is_named),
        (
            "setup::a_machine_without_sshd_is_told_what_to_install",
            setup::a_machine_without_sshd_is_told_what_to_install,
        ),
        ("setup::without_root_hosts_are_the_way", setup::without_root_hosts_are_the_way),
        (
            "strangers::hosts_are_left_as_they_were_found",
            strangers::hosts_are_left_as_they_were_found,
        ),
        (
            "strangers::a_run_that_is_broken_off_ends_its_database_on_hosts",
            strangers::a_run_that_is_broken_off_ends_its_database_on_hosts,
        ),
        (
            "vanish::a_node_that_vanishes_during_a_fault_is_named_and_nothing_hangs",
            vanish::a_node_that_vanishes_during_a_fault_is_named_and_nothing_hangs,
        ),
        (
            "vanish::a_fault_that_does_not_bite_makes_the_run_unknown_and_is_named",
            vanish::a_fault_that_does_not_bite_makes_the_run_unknown_and_is_named,
        ),
        ("usage::a_file_that_is_none", usage::a_file_that_is_none),
        ("usage::a_misspelt_key_is_told_by_its_line", usage::a_misspelt_key_is_told_by_its_line),
        ("usage::a_template_that_does_not_render", usage::a_template_that_does_not_render),
        (
            "usage::partitions_and_scenarios_that_cannot_be",
            usage::partitions_and_scenarios_that_cannot_be,
        ),
        ("usage::unknown_workloads_and_their_options", usage::unknown_workloads_and_their_options),
        ("usage::unknown_faults_and_their_options", usage::unknown_faults_and_their_options),
        ("usage::numbers_that_are_none_or_too_large", usage::numbers_that_are_none_or_too_large),
        (
            "usage::variables_that_the_file_does_not_have",
            usage::variables_that_the_file_does_not_have,
        ),
        (
            "usage::files_and_programs_that_are_not_named_or_not_there",
            usage::files_and_programs_that_are_not_named_or_not_there,
        ),
        ("usage::hosts_that_cannot_be_found", usage::hosts_that_cannot_be_found),
    ];
    runner::run_at_once(4, tests)
}
