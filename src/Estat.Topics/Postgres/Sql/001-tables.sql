-- Messages and typed rows are partitioned by day of the time in the log: old days are dropped as a whole. The default partitions take what has no
-- day's partition. A row's id is made of its time and position, so a row that is stored twice would have the same id.

CREATE TABLE messages (
    id uuid NOT NULL,
    topic text NOT NULL,
    "partition" int NOT NULL,
    "offset" bigint NOT NULL,
    key text,
    value jsonb,
    headers jsonb,
    "timestamp" timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, "partition", "offset", "timestamp")
) PARTITION BY RANGE ("timestamp");
CREATE TABLE messages_default PARTITION OF messages DEFAULT;
-- Each of them has the order of pages, so that page 1,000 costs what page 1 costs. By key: its hash, as a row of an index holds 2,700 bytes at most
-- and a key may have more; and the topic before the time, so that a key which is rare in one topic is found there at once.
CREATE INDEX messages_by_time ON messages ("timestamp", topic, "partition", "offset");
CREATE INDEX messages_by_topic ON messages (topic, "timestamp", "partition", "offset");
CREATE INDEX messages_by_key ON messages (hashtextextended(key, 0), topic, "timestamp", "partition", "offset") WHERE key IS NOT NULL;

CREATE TABLE user_activities (
    id uuid NOT NULL,
    user_id text NOT NULL,
    action text NOT NULL,
    resource text,
    metadata jsonb,
    ip_address text,
    user_agent text,
    "timestamp" timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, "timestamp")
) PARTITION BY RANGE ("timestamp");
CREATE TABLE user_activities_default PARTITION OF user_activities DEFAULT;
CREATE INDEX user_activities_by_time ON user_activities ("timestamp", id);
CREATE INDEX user_activities_by_user ON user_activities (user_id, "timestamp", id);
CREATE INDEX user_activities_by_action ON user_activities (action, "timestamp", id);

CREATE TABLE system_metrics (
    id uuid NOT NULL,
    metric_name text NOT NULL,
    value double precision NOT NULL,
    unit text,
    tags jsonb,
    "timestamp" timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, "timestamp")
) PARTITION BY RANGE ("timestamp");
CREATE TABLE system_metrics_default PARTITION OF system_metrics DEFAULT;
CREATE INDEX system_metrics_by_time ON system_metrics ("timestamp", id);
CREATE INDEX system_metrics_by_name ON system_metrics (metric_name, "timestamp", id);

CREATE TABLE error_logs (
    id uuid NOT NULL,
    service text NOT NULL,
    error_type text NOT NULL,
    message text NOT NULL,
    stack_trace text,
    context jsonb,
    severity text NOT NULL,
    resolved boolean NOT NULL DEFAULT false,
    resolved_at timestamptz,
    "timestamp" timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, "timestamp")
) PARTITION BY RANGE ("timestamp");
CREATE TABLE error_logs_default PARTITION OF error_logs DEFAULT;
CREATE INDEX error_logs_by_time ON error_logs ("timestamp", id);
CREATE INDEX error_logs_by_service ON error_logs (service, "timestamp", id);
CREATE INDEX error_logs_by_severity ON error_logs (severity, "timestamp", id);
CREATE INDEX error_logs_by_both ON error_logs (service, severity, "timestamp", id);
-- Few are open, or few are resolved: either is found at once. A new row is in the first alone.
CREATE INDEX error_logs_open ON error_logs ("timestamp", id) WHERE NOT resolved;
CREATE INDEX error_logs_resolved ON error_logs ("timestamp", id) WHERE resolved;

-- Changed once a batch, by deltas: what /api/stats and /api/topics show is never counted by reading rows.
CREATE TABLE topic_status (
    id uuid NOT NULL DEFAULT gen_random_uuid() PRIMARY KEY,
    topic_name text NOT NULL UNIQUE,
    partition_count int NOT NULL,
    replication_factor int NOT NULL,
    is_active boolean NOT NULL DEFAULT true,
    last_message_at timestamptz,
    message_count bigint NOT NULL DEFAULT 0,
    typed_count bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

-- Where each sink goes on. A sink writes only while its epoch is the row's; high_offset is the highest next_offset that there ever was. last_id is
-- the id of the last message before next_offset; null: not known. A log that has another message there is not the one that was stored.
CREATE TABLE consumer_offsets (
    sink text NOT NULL,
    topic text NOT NULL,
    "partition" int NOT NULL,
    next_offset bigint NOT NULL,
    high_offset bigint NOT NULL,
    epoch bigint NOT NULL,
    log_id text NOT NULL,
    last_id uuid,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (sink, topic, "partition")
) WITH (fillfactor = 50);

-- Each session of a sink has an epoch of its own, and no two have the same.
CREATE SEQUENCE sink_epochs;

-- Days before this are dropped by TOPICS_KEEP, and are not made again. One row at the most.
CREATE TABLE dropped_days (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    before timestamptz NOT NULL
);

-- kind message: nothing of it is stored elsewhere. kind typed: the message is in messages, and only its typed row is missing. held: it waits behind
-- a dead letter of its key (TOPICS_ORDER=hold-key). id is the id that its row has, or would have.
CREATE TABLE dead_letters (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sink text NOT NULL,
    id uuid NOT NULL,
    topic text NOT NULL,
    "partition" int NOT NULL,
    "offset" bigint NOT NULL,
    kind text NOT NULL CHECK (kind IN ('message', 'typed', 'held')),
    reason text NOT NULL,
    detail text NOT NULL,
    key bytea,
    headers bytea NOT NULL,
    value bytea,
    "timestamp" timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'replayed', 'discarded')),
    created_at timestamptz NOT NULL DEFAULT now(),
    resolved_at timestamptz
);
-- Both of the first two kinds are nothing stored: a message has one of them.
CREATE UNIQUE INDEX dead_letters_once ON dead_letters (sink, id, (kind = 'typed'));
CREATE INDEX dead_letters_open ON dead_letters (topic, number) WHERE state = 'open';
-- Behind one dead letter many may be held: the first ones of a partition are found at once, and so is what holds them.
CREATE INDEX dead_letters_by_key ON dead_letters (sink, topic, sha256(key), "partition", "offset")
    WHERE state = 'open' AND kind <> 'typed' AND key IS NOT NULL;
CREATE INDEX dead_letters_holding ON dead_letters (sink, topic, sha256(key)) WHERE state = 'open' AND kind = 'message' AND key IS NOT NULL;
CREATE INDEX dead_letters_discarded ON dead_letters (sink) WHERE state = 'discarded' AND kind <> 'typed';
