-- Athena: the outcomes of requests, as the lake has them. Put your bucket and RAW_PREFIX into both locations.
-- Partition projection: no crawler, and no MSCK REPAIR. dt and hr are UTC, and those of the upload, seconds after the decision as a rule.
CREATE EXTERNAL TABLE estat_outcomes (
  campaign string,
  request_id string,
  generation int,
  state string,
  reason string,
  sequence bigint,
  attempts int,
  received_at string,
  queued_at string,
  processing_at string,
  final_at string,
  number bigint
)
PARTITIONED BY (dt string, hr string)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
LOCATION 's3://my-events/raw_outcomes/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.dt.type' = 'date',
  'projection.dt.format' = 'yyyy-MM-dd',
  'projection.dt.range' = '2026-01-01,NOW',
  'projection.dt.interval' = '1',
  'projection.dt.interval.unit' = 'DAYS',
  'projection.hr.type' = 'integer',
  'projection.hr.range' = '0,23',
  'projection.hr.digits' = '2',
  'storage.location.template' = 's3://my-events/raw_outcomes/dt=${dt}/hr=${hr}/'
)
