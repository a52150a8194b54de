-- How long users waited for their decision, for each campaign: median and 95th percentile in milliseconds, from received_at to final_at.
-- First decisions alone: a redrive days later is the operator's time, and a withdrawn request was not decided.
-- Parameters: the first and the last dt, such as '2026-12-24'.
WITH decided AS (
  SELECT
    campaign,
    date_diff(
      'millisecond',
      CAST(replace(substr(received_at, 1, 23), 'T', ' ') AS timestamp),
      CAST(replace(substr(final_at, 1, 23), 'T', ' ') AS timestamp)) AS milliseconds
  FROM (
    -- After a restore from a backup, an outcome may be there twice: the later one counts.
    SELECT *, row_number() OVER (PARTITION BY request_id, generation ORDER BY final_at DESC, number DESC) AS copy
    FROM estat_outcomes
    WHERE dt BETWEEN ? AND ?
  ) AS outcome
  WHERE copy = 1 AND generation = 1 AND coalesce(reason, '') <> 'withdrawn'
),
ranked AS (
  SELECT
    campaign,
    milliseconds,
    row_number() OVER (PARTITION BY campaign ORDER BY milliseconds) AS place,
    count(*) OVER (PARTITION BY campaign) AS requests
  FROM decided
)
SELECT
  campaign,
  max(requests) AS requests,
  min(CASE WHEN place * 100 >= requests * 50 THEN milliseconds END) AS p50_ms,
  min(CASE WHEN place * 100 >= requests * 95 THEN milliseconds END) AS p95_ms,
  max(milliseconds) AS max_ms
FROM ranked
GROUP BY campaign
ORDER BY campaign
