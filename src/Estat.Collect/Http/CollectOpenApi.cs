// Collecting's part of /openapi.json, with this node's limits.
using System.Text;
using System.Text.Json;
using Estat.Base.Acks;
using Estat.Collect.Options;
using Estat.Http.Answering;

namespace Estat.Collect.Http;

/// <summary>
/// Written by hand (openapi.json, beside this) and part of the assembly; <c>%OPTION%</c> in it becomes the option's value. Tests hold every answer
/// of the contract's tests against it.
/// </summary>
internal static class CollectOpenApi
{
    /// <summary>The part.</summary>
    /// <param name="options">Whose limits it names.</param>
    /// <param name="levels">The ack levels that a request may ask for.</param>
    internal static string Write(CollectOptions options, IReadOnlyList<AckLevel> levels) =>
        new StringBuilder(Encoding.UTF8.GetString(Resource.Read("openapi.json", typeof(CollectOpenApi).Assembly)))
            // As a value they stand in quotation marks, so that the file is JSON as it is.
            .Replace("\"%MAX_BODY_SIZE%\"", JsonSerializer.Serialize(options.MaxBodySize))
            .Replace("\"%MAX_BATCH_BODY_SIZE%\"", JsonSerializer.Serialize(options.MaxBatchBodySize))
            .Replace("\"%LEVELS%\"", JsonSerializer.Serialize(levels.Select(level => level.ToText())))
            .Replace("%ACK%", options.Ack.ToText())
            .ToString();
}
