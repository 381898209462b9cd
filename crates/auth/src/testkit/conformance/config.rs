//! Its section of the configuration.

use serde_json::json;
use vestibule_core::ports::backend::Section;

use super::bench::{Bench, bench_name};

pub(super) fn run(bench: &mut Bench<'_>) {
    let descriptor = bench.backend.descriptor().clone();
    bench.note("config: it goes by the name that it is given", {
        let is_own = descriptor.name == bench_name();
        if is_own { Ok(()) } else { Err(format!("it calls itself {}", descriptor.name)) }
    });
    bench.note("config: its kind is the factory's", {
        let kind = bench.fixture.factory.kind();
        if descriptor.kind == kind {
            Ok(())
        } else {
            Err(format!("{} is not {kind}", descriptor.kind))
        }
    });
    bench.note("config: it says what it takes", {
        let is_asked = !descriptor.takes.is_empty() || bench.backend.entitlement().is_some();
        if is_asked { Ok(()) } else { Err("it would never be asked".to_owned()) }
    });
    let extra = Section::of(json!({ "surely_no_key_of_yours": 1 })).over(&bench.fixture.section);
    bench.note("config: a key that it does not know is refused", {
        match bench.fixture.factory.build(bench_name(), extra) {
            Ok(_) => Err("a misspelt key is passed over: read the section with `read`".to_owned()),
            Err(error) if error.key.as_deref() == Some("surely_no_key_of_yours") => Ok(()),
            Err(error) => Err(format!("the message does not name the key: {error}")),
        }
    });
    let extra = Section::of(json!({ "surely_no_key_of_yours": [&bench.fixture.right.1] }));
    let extra = extra.over(&bench.fixture.section);
    let refused = bench.fixture.factory.build(bench_name(), extra).err();
    bench.note("config: what is wrong with it is said without what was written", {
        bench.leak(&refused.map(|error| format!("{error} {error:?}")).unwrap_or_default())
    });
    bench.note("config: its section shows no secret", {
        let shown = format!("{:?}", bench.fixture.section);
        bench.leak(&shown)
    });
    bench.note("config: it can be made twice", {
        let again = bench.fixture.factory.build(bench_name(), bench.fixture.section.clone());
        again.map(drop).map_err(|error| error.to_string())
    });
    bench.note("config: it can be made while its service is down", {
        bench.away();
        let built = bench.fixture.factory.build(bench_name(), bench.fixture.section.clone());
        bench.mend();
        built.map(drop).map_err(|error| format!("a service that is down stops the start: {error}"))
    });
}
