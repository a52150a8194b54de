// Which keys may be looked at by name.
using System.Text;

namespace Estat.Base.Storage;

/// <summary>Keeps those who name a key to what Estat laid below its prefixes.</summary>
public static class KeyScope
{
    private const int LongestKey = 1024; // bytes; S3's own limit

    /// <summary>Whether a key lies below one of the prefixes, and names nothing that a folder would take for a way out of it.</summary>
    public static bool Holds(string key, params ReadOnlySpan<string> prefixes)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (Encoding.UTF8.GetByteCount(key) > LongestKey || key.Any(char.IsControl) || key.Contains('\\') || key.Split('/')
            .Any(part => part is "" or "." or ".."))
        {
            return false;
        }

        foreach (string prefix in prefixes)
        {
            if (key.Length > prefix.Length + 1 && key.StartsWith(prefix, StringComparison.Ordinal) && key[prefix.Length] == '/')
            {
                return true;
            }
        }

        return false;
    }
}
