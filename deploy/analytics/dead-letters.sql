-- The DLQ ratio of each campaign: which part of all outcomes is FAILED_FINAL, later redriven or not.
-- Parameters: the first and the last dt.
SELECT
  campaign,
  count(*) AS outcomes,
  sum(CASE WHEN state = 'FAILED_FINAL' THEN 1 ELSE 0 END) AS failed,
  round(CAST(sum(CASE WHEN state = 'FAILED_FINAL' THEN 1 ELSE 0 END) AS double) / count(*), 4) AS dlq_ratio
FROM (
  -- After a restore from a backup, an outcome may be there twice: the later one counts.
  SELECT *, row_number() OVER (PARTITION BY request_id, generation ORDER BY final_at DESC, number DESC) AS copy
  FROM estat_outcomes
  WHERE dt BETWEEN ? AND ?
) AS outcome
WHERE copy = 1
GROUP BY campaign
ORDER BY campaign
