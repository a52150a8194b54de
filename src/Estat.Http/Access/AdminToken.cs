// ADMIN_TOKEN, and the sessions that it opens.
using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Estat.Http.Access;

/// <summary>
/// A session is a cookie that says until when it holds, signed by a key that follows from the token: any node with the same token knows it, and none
/// keeps it. So it cannot be called back but by another token.
/// </summary>
internal sealed class AdminToken(string token, TimeProvider time)
{
    /// <summary>How long a session holds.</summary>
    internal static readonly TimeSpan SessionLength = TimeSpan.FromHours(12);

    private const string Version = "1";
    private const int LongestSession = 128;

    // Slow on purpose, once a process: somebody who has got hold of a cookie could otherwise try tokens against it as fast as HMAC goes.
    private const int KeyIterations = 100_000;

    // Between the nodes of a cluster, at each of which a session holds.
    private static readonly TimeSpan ClocksDiffer = TimeSpan.FromMinutes(5);

    private readonly byte[] _digest = SHA256.HashData(Encoding.UTF8.GetBytes(token));
    private readonly Lazy<byte[]> _key = new(
        () => Rfc2898DeriveBytes.Pbkdf2(token, "estat_admin session"u8, KeyIterations, HashAlgorithmName.SHA256, SHA256.HashSizeInBytes));

    /// <summary>Whether this is the token, in a time that depends on neither.</summary>
    internal bool Is(string shown)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(shown), digest);
        return CryptographicOperations.FixedTimeEquals(digest, _digest);
    }

    /// <summary>A new session.</summary>
    internal string OpenSession() => Sign((time.GetUtcNow() + SessionLength).ToUnixTimeSeconds());

    /// <summary>Whether this is a session that still holds.</summary>
    internal bool IsSession(string? shown)
    {
        if (shown is not { Length: <= LongestSession } || shown.Split('.') is not [Version, var until, _]
            || !long.TryParse(until, NumberStyles.None, CultureInfo.InvariantCulture, out long seconds))
        {
            return false;
        }

        // One that holds for longer than any that is opened now was opened by a clock that had jumped forward.
        long now = time.GetUtcNow().ToUnixTimeSeconds();
        if (seconds <= now || seconds > now + (long)(SessionLength + ClocksDiffer).TotalSeconds)
        {
            return false;
        }

        return CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(Sign(seconds)), Encoding.UTF8.GetBytes(shown));
    }

    private string Sign(long until)
    {
        string claim = string.Create(CultureInfo.InvariantCulture, $"{Version}.{until}");
        return $"{claim}.{Base64Url.EncodeToString(HMACSHA256.HashData(_key.Value, Encoding.ASCII.GetBytes(claim)))}";
    }
}
