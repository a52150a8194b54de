// Tokens that were found valid: to verify a signature takes 0.1 ms and more, to find a token here 2 µs.
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Estat.Base.Memory;

namespace Estat.Http.Access;

/// <summary>Holds hashes of tokens, so that nobody who reads the memory finds one to show. What nobody has shown for long goes first. Any thread;
/// readers wait for nobody.</summary>
/// <param name="most">Tokens.</param>
internal sealed class KnownTokens(int most)
{
    private readonly RecentTable<Digest, Known> _recent = new(most);

    /// <summary>How many are held.</summary>
    internal int Count => _recent.Count;

    /// <summary>The user of a token; null when it is not known, or has expired.</summary>
    internal byte[]? Find(ReadOnlySpan<char> token, DateTimeOffset now)
    {
        var digest = Digest.Of(token);
        if (!_recent.TryFind(digest, out Known known, out bool isOld) || now >= known.End)
        {
            return null;
        }

        if (isOld)
        {
            _recent.Put(digest, known);
        }

        return known.User;
    }

    /// <summary>A token is valid.</summary>
    /// <param name="token">Its text.</param>
    /// <param name="user">Whom it names.</param>
    /// <param name="end">From when on it is not.</param>
    internal void Add(ReadOnlySpan<char> token, byte[] user, DateTimeOffset end) => _recent.Put(Digest.Of(token), new Known(user, end));

    private readonly record struct Known(byte[] User, DateTimeOffset End);

    private readonly record struct Digest(ulong A, ulong B, ulong C, ulong D)
    {
        public override int GetHashCode() => A.GetHashCode();

        internal static Digest Of(ReadOnlySpan<char> token)
        {
            Span<ulong> hash = stackalloc ulong[SHA256.HashSizeInBytes / sizeof(ulong)];
            SHA256.HashData(MemoryMarshal.AsBytes(token), MemoryMarshal.AsBytes(hash));
            return new Digest(hash[0], hash[1], hash[2], hash[3]);
        }
    }
}
