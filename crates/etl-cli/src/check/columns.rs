//! What the masked columns hold already: masks of the scheme that is to write, and of no other.

use login_model::Maskers;
use pg_writer::{PgStore, Pool};

use super::report::Report;
use crate::mixture::{self, Mixture};

const CHECK: &str = "masked-columns";

pub(super) async fn check(pool: Pool, maskers: &Maskers, report: &mut Report) {
    let store = PgStore::new(pool);
    let Some(mixtures) = mixture::find(&store, maskers).await else {
        return report.skip(CHECK, "no rows yet, or none that may be looked at");
    };
    if mixtures.is_empty() {
        return report.pass(CHECK, "the last rows are of the schemes that would write");
    }
    let told: Vec<String> = mixtures.iter().map(text).collect();
    report.warn(
        CHECK,
        format!("{}: equal values would have two masks", told.join(", ")),
        "etl remask brings old rows over, where they can be recovered; or keep the scheme that wrote them",
    );
}

fn text(mixture: &Mixture) -> String {
    let Mixture {
        column,
        own,
        others,
    } = mixture;
    format!(
        "{column} holds {} where {own} would write",
        others.join(", ")
    )
}
