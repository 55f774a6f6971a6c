//! What every new connection is set to: how long a statement may take, and in which schema the tables are.

use diesel::dsl::sql;
use diesel::result::ConnectionError;
use diesel::sql_types::{Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _, SimpleAsyncConnection as _};

use crate::settings::Settings;

pub(crate) async fn set_up(
    connection: &mut AsyncPgConnection,
    settings: &Settings,
) -> Result<(), ConnectionError> {
    connection
        .batch_execute(&time_outs(settings))
        .await
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
    match &settings.schema {
        Some(schema) => demand_schema(connection, schema).await,
        None => Ok(()),
    }
}

/// What any role may set; `lc_messages`, for one, it may not.
fn time_outs(settings: &Settings) -> String {
    let limit = settings.statement_timeout.as_millis();
    format!("SET statement_timeout = {limit}; SET idle_in_transaction_session_timeout = {limit}")
}

/// A pooler may have dropped the option of the start; then the tables would be made and filled in a schema that nobody
/// named.
async fn demand_schema(
    connection: &mut AsyncPgConnection,
    schema: &str,
) -> Result<(), ConnectionError> {
    let query = sql::<Nullable<Text>>("SELECT current_schema()::text");
    let current: Option<String> = query
        .get_result(connection)
        .await
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
    let why = match current {
        Some(current) if current == schema => return Ok(()),
        Some(_) => {
            "is not in force: a pooler between drops start-up options; set it with ALTER ROLE … SET search_path"
        }
        None => "does not exist, or this role may not use it; an owner makes it with CREATE SCHEMA",
    };
    let refusal = format!("the schema {schema} {why}");
    Err(ConnectionError::InvalidConnectionUrl(refusal))
}
