//! What must hold for any trace: consistency between services, honest rates, valid tracestate, and hosts
//! that decide by the plan exactly as the sampler would.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use polyspan::sampling::{
    CustomSampler, Decision, HeadSampler, ParentRule, RateLimited, RatioSampler, RootRule, Rule, RuleSampler,
    Sampler, SamplingInput, SamplingResult,
};
use polyspan::{IdGenerator, SpanContext, SpanId, TraceFlags, TraceId, TraceState};
use proptest::prelude::*;

fn ratio(ratio: f64) -> HeadSampler {
    HeadSampler::Ratio(RatioSampler::new(ratio).unwrap())
}

fn parent(trace_id: TraceId, sampled: bool, remote: bool, state: &str) -> SpanContext {
    SpanContext {
        trace_id,
        span_id: SpanId::from_bytes([7; 8]),
        flags: TraceFlags::RANDOM.with_sampled(sampled),
        state: state.parse().unwrap(),
        remote,
    }
}

fn child_of(sampler: &HeadSampler, parent: &SpanContext) -> SamplingResult {
    sampler.sample(&SamplingInput { parent: Some(parent), ..SamplingInput::root(parent.trace_id, "child") })
}

fn any_sampler() -> impl Strategy<Value = HeadSampler> {
    let leaf = prop_oneof![
        Just(HeadSampler::AlwaysOn),
        Just(HeadSampler::AlwaysOff),
        Just(ratio(0.0)),
        (1e-9..=1.0f64).prop_map(ratio),
        (1u32..5).prop_map(|burst| HeadSampler::RateLimited(RateLimited::new(1.0, burst).unwrap())),
    ];
    leaf.prop_recursive(3, 12, 5, |inner| {
        prop_oneof![
            inner.clone().prop_map(HeadSampler::parent_based),
            proptest::collection::vec(inner.clone(), 5).prop_map(|delegates| {
                let [root, a, b, c, d] = <[HeadSampler; 5]>::try_from(delegates).unwrap();
                let mut sampler = polyspan::sampling::ParentBased::new(root);
                (sampler.remote_sampled, sampler.remote_not_sampled) = (a, b);
                (sampler.local_sampled, sampler.local_not_sampled) = (c, d);
                HeadSampler::ParentBased(Box::new(sampler))
            }),
            (inner.clone(), inner, any::<bool>()).prop_map(|(first, default, every_span)| {
                let sampler = RuleSampler::new(vec![Rule::new(first).name("c*")], default);
                HeadSampler::Rules(if every_span { sampler.for_every_span() } else { sampler })
            }),
        ]
    })
}

/// Tracestates as they arrive: with and without threshold and randomness, valid or not, alone or among
/// others.
fn any_state() -> impl Strategy<Value = String> {
    let member = prop_oneof![
        "ot=(th:[0-9a-f]{1,16}|rv:[0-9a-f]{14}|x:[A-Za-z0-9._-]{0,240})(;th:[0-9a-f]{1,14})?(;y:[a-z]{0,9})?",
        "ot=[ -+.-<>-~]{0,20}[!-+.-<>-~]",
        "[a-z][a-z0-9_*/@-]{0,9}=[ -+.-<>-~]{0,150}[!-+.-<>-~]",
    ];
    proptest::collection::vec(member, 0..34).prop_map(|members| members.join(","))
}

proptest! {
    #[test]
    fn the_traces_of_a_lower_ratio_are_among_those_of_a_higher(
        bytes: [u8; 16], a in 0.0..=1.0f64, b in 0.0..=1.0f64,
    ) {
        let id = TraceId::from_bytes(bytes);
        prop_assume!(id.is_valid() && a.min(b) >= 1e-16);
        let front = ratio(a.min(b)).sample(&SamplingInput::root(id, "front"));
        let remote = SpanContext { state: front.state.clone(), ..parent(id, front.decision.is_sampled(), true, "") };
        let back = child_of(&ratio(a.max(b)), &remote);
        prop_assert!(back.decision >= front.decision);
    }

    #[test]
    fn what_comes_out_is_valid_and_true(
        sampler in any_sampler(), bytes: [u8; 16], state in any_state(), sampled: bool, remote: bool,
    ) {
        let id = TraceId::from_bytes(bytes);
        prop_assume!(id.is_valid());
        let state = state.parse::<TraceState>();
        prop_assume!(state.is_ok());
        let state = state.unwrap();
        let rv = polyspan::propagation::OtTraceState::from_state(&state).randomness();
        let context = SpanContext { state, ..parent(id, sampled, remote, "") };
        let result = child_of(&sampler, &context);
        let out = result.state.header();
        prop_assert_eq!(&out.parse::<TraceState>().unwrap(), &result.state);
        let ot = polyspan::propagation::OtTraceState::from_state(&result.state);
        // A local parent's list was written or checked here already and may pass unread.
        if let Some(threshold) = ot.threshold() && (remote || result.state != context.state) {
            prop_assert!(result.decision.is_sampled(), "{} on a dropped span", out);
            prop_assert!(rv.unwrap_or_else(|| id.randomness()) >= threshold, "{} is untrue", out);
        }
        prop_assert_eq!(ot.randomness(), rv);
    }

    #[test]
    fn a_host_that_follows_the_plan_decides_as_the_sampler_does(
        sampler in any_sampler(), bytes: [u8; 16], sampled: bool, remote: bool, state_choice in 0..3,
    ) {
        let id = TraceId::from_bytes(bytes);
        prop_assume!(id.is_valid());
        let plan = sampler.host_plan(3);
        prop_assert_eq!(plan.generation, 3);
        let rule = if remote { plan.remote_parent } else { plan.local_parent };
        let header = match (state_choice, rule, remote) {
            (1, ParentRule::Threshold(_), _) => plan.threshold_state.header(),
            (2, ParentRule::Inherit, false) => "vendor=1,ot=th:8",
            _ => "",
        };
        let context = parent(id, sampled, remote, header);
        let yes = |state: &TraceState| Some((Decision::RecordAndSample, state.clone()));
        let no = |state: &TraceState| Some((Decision::Drop, state.clone()));
        let by_plan = match rule {
            ParentRule::Inherit if sampled => yes(&context.state),
            ParentRule::Inherit => no(&context.state),
            ParentRule::Sample => yes(&TraceState::EMPTY),
            ParentRule::Drop => no(&TraceState::EMPTY),
            ParentRule::Threshold(limit) if id.randomness() >= limit => yes(&plan.threshold_state),
            ParentRule::Threshold(_) => no(&TraceState::EMPTY),
            ParentRule::AskEach => None,
        };
        if let Some(by_plan) = by_plan {
            let result = child_of(&sampler, &context);
            prop_assert_eq!((result.decision, result.state), by_plan);
        }
    }

    #[test]
    fn drawn_roots_are_what_the_sampler_says(sampler in any_sampler(), seed: [u8; 32]) {
        let mut drawn = Vec::new();
        let mut ids = IdGenerator::from_seed(seed);
        let ahead = sampler.draw_roots(5, &mut ids, &mut drawn);
        prop_assert_eq!(ahead, sampler.host_plan(0).root == RootRule::Block);
        prop_assert_eq!(drawn.len(), if ahead { 5 } else { 0 });
        for draw in drawn {
            let asked = sampler.sample(&SamplingInput::root(draw.trace_id, "any"));
            prop_assert_eq!((draw.decision, draw.state), (asked.decision, asked.state));
        }
    }

    #[test]
    fn a_rate_limit_holds_in_every_window(
        gaps in proptest::collection::vec(0u64..400_000_000, 1..300), burst in 1u32..6,
    ) {
        let sampler = HeadSampler::RateLimited(RateLimited::new(10.0, burst).unwrap());
        let id = TraceId::from_bytes([1; 16]);
        let mut now = 0;
        let mut kept: Vec<u64> = Vec::new();
        for gap in gaps {
            now += gap;
            let result = sampler.sample(&SamplingInput { now_nanos: now, ..SamplingInput::root(id, "r") });
            if result.decision.is_sampled() {
                kept.push(now);
            }
        }
        for (first, start) in kept.iter().enumerate() {
            for (last, end) in kept.iter().enumerate().skip(first) {
                let allowed = u64::from(burst) + (end - start) / 100_000_000;
                prop_assert!((last - first + 1) as u64 <= allowed);
            }
        }
    }
}

#[test]
fn the_measured_rate_is_near_the_ratio() {
    const ROOTS: usize = 200_000;
    for wanted in [0.5, 0.1, 0.01] {
        let mut drawn = Vec::new();
        assert!(ratio(wanted).draw_roots(ROOTS, &mut IdGenerator::from_seed([9; 32]), &mut drawn));
        let kept = drawn.iter().filter(|draw| draw.decision.is_sampled()).count() as f64;
        // Five standard deviations of a binomial; the seed is fixed, so this passes always or never.
        let deviation = (ROOTS as f64 * wanted * (1.0 - wanted)).sqrt();
        assert!((kept - ROOTS as f64 * wanted).abs() < 5.0 * deviation, "{wanted}: {kept} of {ROOTS}");
    }
}

#[test]
fn threads_share_one_limit() {
    let sampler = HeadSampler::RateLimited(RateLimited::new(1.0, 100).unwrap());
    let kept = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            // A clone, as every engine handle holds one.
            let (sampler, kept) = (sampler.clone(), &kept);
            scope.spawn(move || {
                for _ in 0..1_000 {
                    let input = SamplingInput::root(TraceId::from_bytes([1; 16]), "r");
                    if sampler.sample(&input).decision.is_sampled() {
                        kept.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!(kept.into_inner(), 100);
}

/// Panics on the name `boom`; otherwise keeps the span for record only.
#[derive(Debug)]
struct Touchy;

impl Sampler for Touchy {
    fn sample(&self, input: &SamplingInput<'_>) -> SamplingResult {
        assert_ne!(input.name, "boom");
        let mut result = SamplingResult::new(Decision::RecordOnly, TraceState::EMPTY);
        result.attributes.push(("sampler".into(), "touchy".into()));
        result
    }

    fn description(&self) -> String {
        "Touchy".to_owned()
    }
}

#[test]
fn a_custom_sampler_that_panics_samples_and_says_so() {
    let id = TraceId::from_bytes([1; 16]);
    let sampler = HeadSampler::Custom(CustomSampler::for_every_span(Arc::new(Touchy)));
    let calm = sampler.sample(&SamplingInput::root(id, "calm"));
    assert_eq!((calm.decision, calm.callback_failed), (Decision::RecordOnly, false));
    assert_eq!(calm.attributes, [("sampler".into(), "touchy".into())]);

    let context = parent(id, false, true, "ot=th:8,vendor=1");
    let input = SamplingInput { parent: Some(&context), ..SamplingInput::root(id, "boom") };
    let failed = sampler.sample(&input);
    assert_eq!((failed.decision, failed.callback_failed), (Decision::RecordAndSample, true));
    assert_eq!(failed.state.header(), "vendor=1", "how likely the span was to be kept is unknown");
}

#[test]
fn a_custom_sampler_for_roots_is_not_asked_for_children() {
    let id = TraceId::from_bytes([1; 16]);
    let sampler = HeadSampler::Custom(CustomSampler::for_roots(Arc::new(Touchy)));
    assert!(sampler.inherits());
    let context = parent(id, true, true, "vendor=1");
    let input = SamplingInput { parent: Some(&context), ..SamplingInput::root(id, "boom") };
    let result = sampler.sample(&input);
    assert_eq!((result.decision, result.callback_failed), (Decision::RecordAndSample, false));
}

#[test]
fn descriptions_name_the_configuration() {
    assert_eq!(HeadSampler::AlwaysOn.description(), "AlwaysOnSampler");
    assert_eq!(ratio(0.25).description(), "ProbabilitySampler{0.25}");
    assert_eq!(
        HeadSampler::parent_based(ratio(0.5)).description(),
        "ParentBased{root=ProbabilitySampler{0.5},remote_sampled=AlwaysOnSampler,\
         remote_not_sampled=AlwaysOffSampler,local_sampled=AlwaysOnSampler,local_not_sampled=AlwaysOffSampler}"
    );
}

#[test]
fn the_usual_decisions_allocate_nothing() {
    let id = TraceId::from_bytes([0xff; 16]);
    let local = parent(id, true, false, "ot=th:8,vendor=1");
    let unsampled = parent(id, false, true, "");
    let by_ratio = HeadSampler::parent_based(ratio(0.5));
    for sampler in [&HeadSampler::AlwaysOn, &HeadSampler::AlwaysOff, &HeadSampler::default(), &by_ratio] {
        let counted = allocation_counter::measure(|| {
            sampler.sample(&SamplingInput::root(id, "root"));
            child_of(sampler, &unsampled);
        });
        assert_eq!(counted.count_total, 0, "{}", sampler.description());
    }
    let counted = allocation_counter::measure(|| {
        child_of(&by_ratio, &local);
    });
    assert_eq!(counted.count_total, 0, "a child shares its parent's tracestate");
}
