//! What an observation is called, and when waiting is over.

use std::time::Duration;

use jiff::Timestamp;

use crate::model::{Cause, Goal, Observed, Phase, State};

use super::super::{Patience, Verdict, settle, status};
use super::{draining, fault, instance, running, spec, stopped, with};

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn a_word_and_a_cause() {
    use {Cause as C, State as S};
    let old = || Some("old".to_owned());
    let wanted = || running().revision;
    let ending = |it: &mut Observed| it.instances = vec![instance(Phase::Ending, None, None)];
    let bad = |revision, cause| {
        move |it: &mut Observed| {
            it.instances = vec![instance(Phase::Running, revision, Some(cause))];
        }
    };
    let mut both = stopped();
    ending(&mut both);
    let cases = [
        ("all ready", running(), S::Running, C::Ready),
        (
            "more ready than wanted yet",
            with(|it| (it.ready, it.replicas) = (4, 4)),
            S::Scaling,
            C::Rolling,
        ),
        (
            "behind",
            with(|it| it.generation = 5),
            S::Scaling,
            C::Rolling,
        ),
        (
            "an old one left",
            with(|it| it.replicas = 4),
            S::Scaling,
            C::Rolling,
        ),
        (
            "one of them old",
            with(|it| it.updated = 2),
            S::Scaling,
            C::Rolling,
        ),
        (
            "not ready long enough",
            with(|it| it.available = 2),
            S::Scaling,
            C::Rolling,
        ),
        (
            "none ready",
            with(|it| it.ready = 0),
            S::Pending,
            C::Starting,
        ),
        (
            "nothing there yet",
            with(|it| (it.replicas, it.ready) = (0, 0)),
            S::Pending,
            C::Starting,
        ),
        ("stopped", stopped(), S::Stopped, C::Stopped),
        ("stopped, one ending", both, S::Scaling, C::Ending),
        (
            "stopped, and not taken up yet",
            with(|it| (it.desired, it.replicas, it.ready, it.generation) = (0, 0, 0, 5)),
            S::Scaling,
            C::Ending,
        ),
        (
            "stopped, one left",
            with(|it| (it.desired, it.replicas) = (0, 1)),
            S::Scaling,
            C::Ending,
        ),
        ("draining", draining(), S::Scaling, C::Draining),
        (
            "draining, none ready",
            with(|it| (it.draining, it.ready) = (true, 0)),
            S::Scaling,
            C::Draining,
        ),
        (
            "a quota, some ready",
            with(|it| it.faults = vec![fault(C::Quota)]),
            S::Degraded,
            C::Quota,
        ),
        (
            "ready, one in a loop",
            with(bad(wanted(), C::CrashLoop)),
            S::Degraded,
            C::CrashLoop,
        ),
        (
            "ready, an old one in a loop",
            with(bad(old(), C::CrashLoop)),
            S::Running,
            C::Ready,
        ),
        (
            "of unknown revision",
            with(bad(None, C::Probe)),
            S::Degraded,
            C::Probe,
        ),
        (
            "an ending one is at fault",
            with(|it| it.instances = vec![instance(Phase::Ending, None, Some(C::Exited))]),
            S::Running,
            C::Ready,
        ),
        (
            "an ended one is at fault",
            with(|it| it.instances = vec![instance(Phase::Ended, None, Some(C::Exited))]),
            S::Degraded,
            C::Exited,
        ),
    ];
    for (kind, observed, state, cause) in cases {
        let status = status(&observed);
        assert_eq!((status.state, status.cause), (state, cause), "{kind}");
        assert!(!status.message.is_empty(), "{kind}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn when_waiting_is_over() {
    let at = |second| Timestamp::from_second(second).unwrap();
    let patience = Patience {
        total: Duration::from_secs(300),
        fault: Duration::from_secs(20),
    };
    let verdict = |goal: &Goal, observed: &Observed, now, faulty: Option<i64>| {
        let verdict = settle(
            goal,
            Some(observed),
            at(0),
            faulty.map(at),
            at(now),
            patience,
        );
        match verdict {
            Verdict::Reached => "reached",
            Verdict::Waiting(_) => "waiting",
            Verdict::Failed(_) => "failed",
            Verdict::TimedOut(_) => "timed out",
            Verdict::Superseded(_) => "superseded",
        }
    };
    let starting = with(|it| it.ready = 0);
    let faulty = |cause| {
        with(|it| {
            it.ready = 0;
            it.faults = vec![fault(cause)];
        })
    };
    let deploy = || Goal::Deploy(spec("hello", 3));
    let update = || Goal::Update(spec("hello", 3));
    let cases = [
        (deploy(), running(), 1, None, "reached"),
        (deploy(), starting.clone(), 299, None, "waiting"),
        (deploy(), starting.clone(), 300, None, "timed out"),
        (deploy(), faulty(Cause::ImagePull), 25, Some(6), "waiting"),
        (deploy(), faulty(Cause::ImagePull), 26, Some(6), "failed"),
        (deploy(), faulty(Cause::ImagePull), 26, None, "waiting"),
        (
            deploy(),
            faulty(Cause::Unschedulable),
            299,
            Some(6),
            "waiting",
        ),
        (
            deploy(),
            faulty(Cause::Unschedulable),
            300,
            Some(6),
            "timed out",
        ),
        (deploy(), stopped(), 1, None, "superseded"),
        (
            Goal::Deploy(spec("mine", 3)),
            running(),
            1,
            None,
            "superseded",
        ),
        (
            Goal::Update(spec("mine", 3)),
            running(),
            1,
            None,
            "superseded",
        ),
        (update(), running(), 1, None, "reached"),
        (update(), stopped(), 1, None, "reached"),
        (update(), draining(), 1, None, "reached"),
        (
            update(),
            with(|it| (it.draining, it.ready) = (true, 0)),
            1,
            None,
            "waiting",
        ),
        (Goal::Stop, stopped(), 1, None, "reached"),
        (Goal::ForceStop, stopped(), 1, None, "reached"),
        (Goal::Stop, with(|it| it.desired = 0), 1, None, "waiting"),
        (Goal::Stop, running(), 1, None, "superseded"),
        (Goal::Scale(0), stopped(), 1, None, "reached"),
        (Goal::Scale(3), running(), 1, None, "reached"),
        (
            Goal::Scale(3),
            with(|it| it.generation = 5),
            1,
            None,
            "waiting",
        ),
        (Goal::Scale(2), running(), 1, None, "superseded"),
        (Goal::Start, running(), 1, None, "reached"),
        (Goal::Start, stopped(), 1, None, "superseded"),
        (Goal::Restart, with(|it| it.updated = 1), 1, None, "waiting"),
        (Goal::Restart, stopped(), 1, None, "superseded"),
        (Goal::Delete, running(), 299, None, "waiting"),
        (Goal::Delete, running(), 300, None, "timed out"),
    ];
    for (goal, observed, now, since, expected) in cases {
        let found = verdict(&goal, &observed, now, since);
        assert_eq!(
            found,
            expected,
            "{goal:?} at {now}: {:?}",
            status(&observed)
        );
    }
    let gone = |goal: &Goal| settle(goal, None, at(0), None, at(1), patience);
    assert_eq!(gone(&Goal::Delete), Verdict::Reached);
    assert!(matches!(gone(&Goal::Stop), Verdict::Superseded(_)));
}
