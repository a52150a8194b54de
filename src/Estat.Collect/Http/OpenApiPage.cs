// /openapi.json: Estat's HTTP, described for programs, with this node's limits.
using System.Reflection;
using System.Text;
using System.Text.Json;
using Estat.Base.Acks;
using Estat.Collect.Options;
using Estat.Http.Answering;

namespace Estat.Collect.Http;

/// <summary>
/// The document is written by hand (openapi.json, beside this; docs/decisions/0008 says why) and part of the assembly; <c>%OPTION%</c> in it becomes
/// the option's value. Tests hold every answer of the contract's tests against it.
/// </summary>
internal static class OpenApiPage
{
    internal const string Path = "/openapi.json";

    private const string AMinute = "public, max-age=60";

    /// <param name="options">Whose limits it names.</param>
    /// <param name="levels">The ack levels that a request may ask for.</param>
    internal static Page Create(CollectOptions options, IReadOnlyList<AckLevel> levels) =>
        new(Path, new CachedAnswer("application/json", AMinute, isForOtherOrigins: true, () => Write(options, levels)).HandleAsync, IsOpen: true);

    /// <summary>The document, UTF-8.</summary>
    internal static byte[] Write(CollectOptions options, IReadOnlyList<AckLevel> levels)
    {
        string version = typeof(OpenApiPage).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0";
        StringBuilder text = new StringBuilder(Encoding.UTF8.GetString(Resource.Read("openapi.json", typeof(OpenApiPage).Assembly)))
            // As a value they stand in quotation marks, so that the file is JSON as it is.
            .Replace("\"%MAX_BODY_SIZE%\"", JsonSerializer.Serialize(options.MaxBodySize))
            .Replace("\"%MAX_BATCH_BODY_SIZE%\"", JsonSerializer.Serialize(options.MaxBatchBodySize))
            .Replace("\"%LEVELS%\"", JsonSerializer.Serialize(levels.Select(level => level.ToText())))
            .Replace("%ACK%", options.Ack.ToText())
            .Replace("%VERSION%", version.Split('+')[0]);
        return Encoding.UTF8.GetBytes(text.ToString());
    }
}
