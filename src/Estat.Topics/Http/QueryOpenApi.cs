// The part of /openapi.json that queries bring, with this node's limits.
using System.Globalization;
using System.Text;
using Estat.Http.Answering;
using Estat.Topics.Options;

namespace Estat.Topics.Http;

/// <summary>Written by hand (queries.openapi.json, beside this) and part of the assembly; <c>%OPTION%</c> in it becomes the option's value.</summary>
internal static class QueryOpenApi
{
    /// <summary>The part.</summary>
    /// <param name="options">Whose limits it names.</param>
    internal static string Write(TopicsOptions options) =>
        new StringBuilder(Encoding.UTF8.GetString(Resource.Read("queries.openapi.json", typeof(QueryOpenApi).Assembly)))
            .Replace("%TOPICS_QUERY_CONNECTIONS%", options.QueryConnections.ToString(CultureInfo.InvariantCulture))
            .Replace("%TOPICS_QUERY_TIMEOUT%", options.QueryTimeout.TotalSeconds.ToString(CultureInfo.InvariantCulture))
            .ToString();
}
