// GET /api/metrics/aggregated.
using Estat.Http.Intake;
using Estat.Topics.Messages;
using Estat.Topics.Querying;
using Microsoft.AspNetCore.Http;

namespace Estat.Topics.Http;

/// <summary>A metric by periods.</summary>
/// <param name="aggregates">Reads them.</param>
/// <param name="refusals">The answers to what cannot be asked.</param>
internal sealed class AggregateEndpoint(MetricAggregates aggregates, QueryRefusals refusals)
{
    /// <summary>Answers.</summary>
    internal async Task ShowAsync(HttpContext context, Reader reader)
    {
        var parameters = new QueryParameters(context, "metricName", "period", "startDate", "endDate");
        string? metric = parameters.Text("metricName");
        if (metric is null)
        {
            parameters.Refuse("metricName is missing: name a metric, such as ?metricName=cpu_usage.");
        }

        AggregatePeriod period = parameters.Choice("period", "hour", "minute", "day") switch
        {
            1 => AggregatePeriod.Minute,
            2 => AggregatePeriod.Day,
            _ => AggregatePeriod.Hour,
        };
        var query = new AggregateQuery(
            metric ?? "", period, parameters.Moment("startDate", isEnd: false), parameters.Moment("endDate", isEnd: true));
        if (query.Start > query.End)
        {
            parameters.Refuse("startDate must not be after endDate.");
        }

        Refusal? refusal = parameters.Fault is { } fault ? refusals.Malformed(fault)
            : reader.MayUse(BuiltInTopic.SystemMetrics) ? null : refusals.NotThisTopic;
        await (refusal is not null ? HttpAnswers.WriteAsync(context, refusal)
            : QueryAnswers.WriteAsync(context, await aggregates.ReadAsync(query, context.RequestAborted).ConfigureAwait(false)))
            .ConfigureAwait(false);
    }
}
