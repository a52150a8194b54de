// The part of /openapi.json that Requests brings, with this node's limits.
using System.Globalization;
using System.Text;
using Estat.Http.Answering;
using Estat.Requests.Options;

namespace Estat.Requests.Http;

/// <summary>Written by hand (openapi.json, beside this) and part of the assembly; <c>%OPTION%</c> in it becomes the option's value.</summary>
internal static class RequestsOpenApi
{
    /// <summary>The part.</summary>
    /// <param name="options">Whose limits it names.</param>
    /// <param name="userHeader">The header that names a user.</param>
    internal static string Write(RequestsOptions options, string userHeader) =>
        new StringBuilder(Encoding.UTF8.GetString(Resource.Read("openapi.json", typeof(RequestsOpenApi).Assembly)))
            .Replace("%REQUESTS_MAX_BODY_SIZE%", options.MaxBodySize.ToString(CultureInfo.InvariantCulture))
            .Replace("%USER_HEADER%", userHeader)
            .ToString();
}
