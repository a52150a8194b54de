-- What became of the requests of each campaign: how many, and which part SUCCEEDED, was REJECTED, or is FAILED_FINAL.
-- Each request counts once, with the outcome of its last generation: a redrive that succeeded is a success.
-- Parameters: the first and the last dt. Take the days of later redrives too.
WITH latest AS (
  SELECT
    campaign,
    state,
    row_number() OVER (PARTITION BY campaign, request_id ORDER BY generation DESC, final_at DESC, number DESC) AS place
  FROM estat_outcomes
  WHERE dt BETWEEN ? AND ?
)
SELECT
  campaign,
  count(*) AS requests,
  round(CAST(sum(CASE WHEN state = 'SUCCEEDED' THEN 1 ELSE 0 END) AS double) / count(*), 4) AS succeeded_ratio,
  round(CAST(sum(CASE WHEN state = 'REJECTED' THEN 1 ELSE 0 END) AS double) / count(*), 4) AS rejected_ratio,
  round(CAST(sum(CASE WHEN state = 'FAILED_FINAL' THEN 1 ELSE 0 END) AS double) / count(*), 4) AS failed_ratio
FROM latest
WHERE place = 1
GROUP BY campaign
ORDER BY campaign
