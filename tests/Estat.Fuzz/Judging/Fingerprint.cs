// Many bodies as one number that does not depend on their order: what came in and what is stored are compared by it.
using System.Text;

namespace Estat.Fuzz.Judging;

/// <summary>Sums of 64-bit hashes (FNV-1a over UTF-16).</summary>
internal static class Fingerprint
{
    /// <summary>Of bodies as they were sent: a reader of a line gets the text that they are, U+FFFD for what is no UTF-8.</summary>
    internal static ulong Of(IReadOnlyList<byte[]> bodies)
    {
        ulong sum = 0;
        foreach (byte[] body in bodies)
        {
            sum += Of(Encoding.UTF8.GetString(body));
        }

        return sum;
    }

    internal static ulong Of(string body)
    {
        ulong hash = 0xCBF29CE484222325;
        foreach (char c in body)
        {
            hash = (hash ^ c) * 0x100000001B3;
        }

        // Spread, so that sums of similar bodies do not meet.
        hash = (hash ^ (hash >> 29)) * 0xBF58476D1CE4E5B9;
        return hash ^ (hash >> 32);
    }
}
