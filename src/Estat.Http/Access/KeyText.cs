// Where a request carries its write key.
using System.Text;
using Estat.Http.Intake;

namespace Estat.Http.Access;

/// <summary>
/// The first of these that is there counts: <c>X-Api-Key</c>; <c>Authorization: Basic</c>, whose password is the key, or its user if there is no
/// password; <c>?key=</c>, for beacons and pixels, which can send no headers.
/// </summary>
internal static class KeyText
{
    private const string Parameter = "key=";
    private const string Basic = "Basic ";
    private const int LongestBasic = 1024;

    /// <summary>The key as it was sent.</summary>
    /// <returns>False when there is none. What cannot be read as a key, or comes twice, is an empty one.</returns>
    internal static bool TryRead<TRequest>(TRequest request, out ReadOnlySpan<char> key)
        where TRequest : struct, IRequestView => TryReadHeaders(request, out key) || TryReadQuery(request.Query, out key);

    /// <summary>The key as a header has it, for paths where a query's <c>key</c> is something else.</summary>
    /// <returns>As <see cref="TryRead"/>.</returns>
    internal static bool TryReadHeaders<TRequest>(TRequest request, out ReadOnlySpan<char> key)
        where TRequest : struct, IRequestView
    {
        if (request.ApiKey is { Count: > 0 } values)
        {
            key = values.Count == 1 ? values[0].AsSpan().Trim() : default;
            return true;
        }

        if (request.Authorization is [{ } authorization] && authorization.StartsWith(Basic, StringComparison.OrdinalIgnoreCase))
        {
            key = OfBasic(authorization.AsSpan(Basic.Length).Trim());
            return true;
        }

        key = default;
        return false;
    }

    /// <summary>The key in a query; false when there is none.</summary>
    internal static bool TryReadQuery(string? query, out ReadOnlySpan<char> key)
    {
        if (query is { Length: > 1 })
        {
            foreach (Range part in query.AsSpan(1).Split('&'))
            {
                ReadOnlySpan<char> parameter = query.AsSpan(1)[part];
                if (parameter.StartsWith(Parameter, StringComparison.Ordinal))
                {
                    key = parameter[Parameter.Length..];
                    key = key.Contains('%') ? Uri.UnescapeDataString(key) : key;
                    return true;
                }
            }
        }

        key = default;
        return false;
    }

    /// <summary>A query (with its <c>?</c>) without the key, which is nobody's to store.</summary>
    internal static string WithoutKey(string query)
    {
        if (!query.Contains(Parameter, StringComparison.Ordinal))
        {
            return query;
        }

        var rest = new StringBuilder(query.Length);
        foreach (Range part in query.AsSpan(1).Split('&'))
        {
            ReadOnlySpan<char> parameter = query.AsSpan(1)[part];
            if (!parameter.StartsWith(Parameter, StringComparison.Ordinal))
            {
                rest.Append(rest.Length == 0 ? '?' : '&').Append(parameter);
            }
        }

        return rest.ToString();
    }

    private static ReadOnlySpan<char> OfBasic(ReadOnlySpan<char> base64)
    {
        Span<byte> bytes = stackalloc byte[LongestBasic];
        if (base64.Length > LongestBasic || !Convert.TryFromBase64Chars(base64, bytes, out int length))
        {
            return default;
        }

        string pair = Encoding.Latin1.GetString(bytes[..length]);
        int colon = pair.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? pair : colon == pair.Length - 1 ? pair.AsSpan(0, colon) : pair.AsSpan(colon + 1);
    }
}
