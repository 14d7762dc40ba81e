//! What the decisions come to, case by case.

mod words;

use serde_json::json;

use crate::model::{
    Action, Cause, Condition, Fault, Goal, Identity, Instance, Name, Observed, Phase, Spec,
    Statefulness,
};
use crate::template::{Request, builtin, instantiate};

use super::{Limits, decide};

/// A specification of the echo template; another greeting is another revision.
fn spec(greeting: &str, replicas: u32) -> Box<Spec> {
    let request = Request {
        name: Some("one".to_owned()),
        configuration: json!({ "greeting": greeting }).as_object().unwrap().clone(),
        replicas: Some(replicas),
        ..Request::default()
    };
    let namespace = Name::label("team").unwrap();
    let catalogue = builtin().unwrap();
    let template = catalogue.get("echo").unwrap();
    let mut random = || "0".repeat(32);
    let mut spec = instantiate(template, &namespace, &request, None, &mut random).unwrap();
    spec.drain_seconds = 30;
    Box::new(spec)
}

fn with(change: impl FnOnce(&mut Observed)) -> Observed {
    let mut observed = running();
    change(&mut observed);
    observed
}

/// Three wanted, three ready.
fn running() -> Observed {
    let spec = spec("hello", 3);
    Observed {
        identity: Identity {
            namespace: Name::label("team").unwrap(),
            name: Name::server("one").unwrap(),
        },
        previous: None,
        revision: Some(spec.revision()),
        spec: Some(spec),
        generation: 4,
        observed_generation: 4,
        desired: 3,
        remembered: None,
        replicas: 3,
        updated: 3,
        ready: 3,
        available: 3,
        instances: Vec::new(),
        faults: Vec::new(),
        endpoints: Vec::new(),
        conditions: Vec::new(),
        image: None,
        draining: false,
        autoscaled: false,
        created: None,
        last_activity: None,
        left_out: Vec::new(),
        token: Some("7".to_owned()),
        labels: std::collections::BTreeMap::default(),
    }
}

fn stopped() -> Observed {
    with(|it| {
        (it.desired, it.replicas, it.updated) = (0, 0, 0);
        (it.ready, it.available, it.remembered) = (0, 0, Some(2));
    })
}

fn draining() -> Observed {
    with(|it| it.draining = true)
}

/// Not ours: nothing is known of it but its numbers.
fn foreign() -> Observed {
    with(|it| (it.spec, it.revision) = (None, None))
}

fn autoscaled() -> Observed {
    with(|it| {
        it.autoscaled = true;
        numbers(it, 5, 5);
    })
}

fn singleton() -> Observed {
    with(|it| {
        it.spec.as_mut().unwrap().statefulness = Statefulness::Singleton;
        it.spec.as_mut().unwrap().replicas = 1;
        it.revision = it.spec.as_ref().map(|spec| spec.revision());
        numbers(it, 1, 1);
    })
}

fn abandon(it: &mut Observed) {
    lacks(it, Observed::SUPERVISED);
}

fn lacks(it: &mut Observed, kind: &str) {
    it.conditions.push(Condition {
        kind: kind.to_owned(),
        status: "False".to_owned(),
        reason: String::new(),
        message: String::new(),
        last_update: None,
    });
}

fn numbers(it: &mut Observed, desired: u32, ready: u32) {
    (it.desired, it.replicas, it.updated) = (desired, desired, desired);
    (it.ready, it.available) = (ready, ready);
}

fn fault(cause: Cause) -> Fault {
    Fault {
        cause,
        message: format!("because of {}", cause.word()),
        since: None,
    }
}

fn instance(phase: Phase, revision: Option<String>, cause: Option<Cause>) -> Instance {
    Instance {
        name: "one-a".to_owned(),
        revision,
        phase,
        ready: cause.is_none(),
        restarts: 0,
        created: None,
        fault: cause.map(fault),
    }
}

/// A decision in short words.
fn words(goal: &Goal, observed: Option<&Observed>) -> String {
    match decide(goal, observed, Limits::default()) {
        Ok(actions) => actions.iter().map(word).collect::<Vec<_>>().join(" "),
        Err(error) => format!("{:?}", error.kind),
    }
}

fn word(action: &Action) -> String {
    match action {
        Action::Apply {
            replicas, remember, ..
        } => format!("apply({replicas},{remember:?})"),
        Action::Scale { from, to, remember } => format!("scale({from}-{to},{remember:?})"),
        Action::Drain { seconds: _ } => "drain".to_owned(),
        other => format!("{other:?}").to_lowercase(),
    }
}

fn each(kind: &str, observed: Option<&Observed>, cases: &[(Goal, &str)]) {
    for (goal, expected) in cases {
        assert_eq!(words(goal, observed), *expected, "{kind}: {goal:?}");
    }
}

#[test]
fn what_is_absent_can_only_be_deployed() {
    let cases = [
        (Goal::Deploy(spec("hello", 3)), "apply(3,Forget)"),
        (Goal::Deploy(spec("hello", 11)), "Invalid"),
        (Goal::Update(spec("hello", 3)), "NotFound"),
        (Goal::Start, "NotFound"),
        (Goal::Stop, "NotFound"),
        (Goal::ForceStop, "NotFound"),
        (Goal::Scale(2), "NotFound"),
        (Goal::Restart, "NotFound"),
        (Goal::Delete, ""),
    ];
    each("absent", None, &cases);
}

#[test]
fn what_runs() {
    let cases = [
        (Goal::Deploy(spec("hello", 3)), ""),
        (Goal::Deploy(spec("hello", 2)), "apply(2,Forget)"),
        (Goal::Deploy(spec("good day", 3)), "apply(3,Forget)"),
        (Goal::Update(spec("hello", 3)), ""),
        (Goal::Update(spec("good day", 1)), "apply(3,Keep)"),
        (Goal::Start, ""),
        (Goal::Stop, "cordon drain scale(3-0,Set(3))"),
        (Goal::ForceStop, "scale(3-0,Set(3)) kill"),
        (Goal::Scale(3), ""),
        (Goal::Scale(10), "scale(3-10,Forget)"),
        (Goal::Scale(11), "Invalid"),
        (Goal::Scale(0), "cordon drain scale(3-0,Set(3))"),
        (Goal::Restart, "restart"),
        (Goal::Delete, "remove"),
    ];
    each("running", Some(&running()), &cases);
}

#[test]
fn what_is_stopped_stays_so_until_it_is_started() {
    let cases = [
        (Goal::Deploy(spec("hello", 2)), "apply(2,Forget)"),
        (Goal::Update(spec("hello", 3)), ""),
        (Goal::Update(spec("good day", 3)), "apply(0,Keep)"),
        (Goal::Start, "scale(0-2,Forget)"),
        (Goal::Stop, ""),
        (Goal::ForceStop, ""),
        (Goal::Scale(0), ""),
        (Goal::Scale(4), "scale(0-4,Forget)"),
        (Goal::Restart, "Conflict"),
        (Goal::Delete, "remove"),
    ];
    each("stopped", Some(&stopped()), &cases);
    let mut forgotten = stopped();
    forgotten.remembered = None;
    assert_eq!(words(&Goal::Start, Some(&forgotten)), "scale(0-3,Forget)");
    forgotten.remembered = Some(0);
    assert_eq!(words(&Goal::Start, Some(&forgotten)), "scale(0-1,Forget)");
    forgotten.remembered = Some(11);
    assert_eq!(words(&Goal::Start, Some(&forgotten)), "Invalid");
    forgotten.instances = vec![instance(Phase::Ending, None, None)];
    assert_eq!(words(&Goal::ForceStop, Some(&forgotten)), "kill");
}

#[test]
fn what_drains_takes_sessions_again_when_it_shall_run() {
    let cases = [
        (Goal::Deploy(spec("hello", 3)), "uncordon"),
        (
            Goal::Deploy(spec("good day", 3)),
            "apply(3,Forget) uncordon",
        ),
        (Goal::Update(spec("good day", 3)), "apply(3,Keep)"),
        (Goal::Start, "uncordon"),
        (Goal::Stop, "drain scale(3-0,Set(3))"),
        (Goal::ForceStop, "uncordon scale(3-0,Set(3)) kill"),
        (Goal::Scale(3), "uncordon"),
        (Goal::Scale(2), "uncordon scale(3-2,Forget)"),
        (Goal::Scale(0), "drain scale(3-0,Set(3))"),
        (Goal::Restart, "restart uncordon"),
        (Goal::Delete, "remove"),
    ];
    each("draining", Some(&draining()), &cases);
}

#[test]
fn what_is_foreign_is_steered_and_not_changed() {
    let cases = [
        (Goal::Deploy(spec("hello", 3)), "Conflict"),
        (Goal::Update(spec("hello", 3)), "Conflict"),
        (Goal::Start, ""),
        (Goal::Stop, "cordon scale(3-0,Set(3))"),
        (Goal::ForceStop, "scale(3-0,Set(3)) kill"),
        (Goal::Scale(2), "scale(3-2,Forget)"),
        (Goal::Restart, "restart"),
        (Goal::Delete, "remove"),
    ];
    each("foreign", Some(&foreign()), &cases);
    let other = with(|it| it.spec.as_mut().unwrap().template = "other".to_owned());
    each("of another template", Some(&other), &cases[..2]);
}

#[test]
fn what_an_autoscaler_numbers_keeps_its_number() {
    let cases = [
        (Goal::Deploy(spec("hello", 3)), ""),
        (Goal::Deploy(spec("good day", 3)), "apply(5,Forget)"),
        (Goal::Update(spec("good day", 3)), "apply(5,Keep)"),
        (Goal::Start, ""),
        (Goal::Stop, "cordon drain scale(5-0,Set(5))"),
        (Goal::ForceStop, "scale(5-0,Set(5)) kill"),
        (Goal::Scale(2), "Conflict"),
        (Goal::Scale(0), "cordon drain scale(5-0,Set(5))"),
        (Goal::Restart, "restart"),
        (Goal::Delete, "remove"),
    ];
    each("autoscaled", Some(&autoscaled()), &cases);
}

#[test]
fn a_singleton_is_one() {
    let one = |replicas| {
        let mut one = spec("hello", replicas);
        one.statefulness = Statefulness::Singleton;
        one
    };
    let cases = [
        (Goal::Deploy(one(1)), ""),
        (Goal::Deploy(one(2)), "Conflict"),
        (Goal::Update(one(2)), "Conflict"),
        (Goal::Scale(1), ""),
        (Goal::Scale(2), "Conflict"),
        (Goal::Scale(11), "Invalid"),
        (Goal::Scale(0), "cordon drain scale(1-0,Set(1))"),
        (Goal::Restart, "restart"),
    ];
    each("singleton", Some(&singleton()), &cases);
    assert_eq!(words(&Goal::Deploy(one(2)), None), "Conflict");
    let mut remembers = singleton();
    numbers(&mut remembers, 0, 0);
    remembers.remembered = Some(2);
    assert_eq!(words(&Goal::Start, Some(&remembers)), "Conflict");
}

#[test]
fn what_nobody_keeps_running_is_taken_up_by_any_goal() {
    let cases = [
        (Goal::Deploy(spec("hello", 3)), "scale(3-3,Keep)"),
        (Goal::Update(spec("hello", 3)), "scale(3-3,Keep)"),
        (Goal::Start, "scale(3-3,Keep)"),
        (Goal::Scale(3), "scale(3-3,Keep)"),
        (Goal::Scale(2), "scale(3-2,Forget)"),
        (Goal::Stop, "cordon drain scale(3-0,Set(3))"),
        (Goal::Restart, "restart"),
        (Goal::Delete, "remove"),
    ];
    each("abandoned", Some(&with(abandon)), &cases);
    let mut halted = stopped();
    abandon(&mut halted);
    let cases = [
        (Goal::Stop, "scale(0-0,Keep)"),
        (Goal::ForceStop, "scale(0-0,Keep)"),
        (Goal::Start, "scale(0-2,Forget)"),
    ];
    each("abandoned and stopped", Some(&halted), &cases);
}

#[test]
fn what_was_left_half_done_is_finished() {
    let untidy = with(|it| lacks(it, Observed::TIDY));
    let cases = [
        (Goal::Deploy(spec("hello", 3)), "apply(3,Forget)"),
        (Goal::Update(spec("hello", 3)), "apply(3,Keep)"),
        (Goal::Start, ""),
        (Goal::Scale(3), ""),
    ];
    each("untidy", Some(&untidy), &cases);
    let mut outlived = stopped();
    lacks(&mut outlived, Observed::COMPANIONS_STOPPED);
    let cases = [
        (Goal::Stop, "scale(0-0,Keep)"),
        (Goal::Scale(0), "scale(0-0,Keep)"),
        (Goal::Update(spec("hello", 3)), "scale(0-0,Keep)"),
        (Goal::Start, "scale(0-2,Forget)"),
        (Goal::Delete, "remove"),
    ];
    each("outlived", Some(&outlived), &cases);
}

#[test]
fn sessions_are_waited_for_only_where_there_are_any() {
    let none = with(|it| it.spec.as_mut().unwrap().sessions = None);
    let hurry = with(|it| it.spec.as_mut().unwrap().drain_seconds = 0);
    let dead = with(|it| it.ready = 0);
    for observed in [none, hurry, dead] {
        assert_eq!(
            words(&Goal::Stop, Some(&observed)),
            "cordon scale(3-0,Set(3))"
        );
    }
}

/// The greeting of the specification to go back to, and the token.
fn kept(observed: &Observed, goal: &Goal) -> (Option<String>, Option<String>) {
    let actions = decide(goal, Some(observed), Limits::default()).unwrap();
    let Some(Action::Apply {
        previous, expected, ..
    }) = actions.into_iter().next()
    else {
        panic!("nothing is applied");
    };
    let greeting = |spec: Box<Spec>| spec.environment["ECHO_GREETING"].clone();
    (previous.map(greeting), expected)
}

#[test]
fn the_last_that_was_ready_is_kept_through_failures() {
    let next = Goal::Update(spec("third", 3));
    let hello = Some("hello".to_owned());
    assert_eq!(kept(&running(), &next).0, hello);
    assert_eq!(kept(&running(), &next).1, Some("7".to_owned()));
    assert_eq!(kept(&draining(), &next).0, hello, "drained, and yet ready");
    assert_eq!(kept(&stopped(), &next).0, hello);
    let mut remains = stopped();
    (remains.token, remains.revision) = (None, None);
    assert_eq!(kept(&remains, &next), (None, None), "it never came to be");
    let mut failing = with(|it| {
        it.previous = Some(spec("first", 3));
        it.faults = vec![fault(Cause::ImagePull)];
        it.ready = 0;
    });
    for greeting in ["third", "fourth", "fifth"] {
        let next = spec(greeting, 3);
        let (previous, _) = kept(&failing, &Goal::Update(next.clone()));
        assert_eq!(previous, Some("first".to_owned()));
        (failing.revision, failing.spec) = (Some(next.revision()), Some(next));
    }
    let first_failure = with(|it| it.ready = 0);
    assert_eq!(
        kept(&first_failure, &next).0,
        None,
        "nothing ever was ready"
    );
    let same = Goal::Deploy(spec("hello", 2));
    assert_eq!(kept(&running(), &same).0, None, "it is the present one");
}

#[test]
fn a_deploy_again_keeps_what_was_scaled_by_hand() {
    let mut scaled = running();
    numbers(&mut scaled, 5, 5);
    // The service asks for as many as are wanted unless the request names a number.
    assert_eq!(words(&Goal::Deploy(spec("hello", 5)), Some(&scaled)), "");
    let other = Goal::Update(spec("good day", 3));
    assert_eq!(words(&other, Some(&scaled)), "apply(5,Keep)");
}
