// Objects that other tools leave beside events, and that hold none.
using Estat.Base.Storage;

namespace Estat.Lake.Reading;

/// <summary>Hadoop and Spark leave <c>_SUCCESS</c>, EMR <c>NAME_$folder$</c>, S3's console <c>NAME/</c>; the last two are empty.</summary>
internal static class FolderMarker
{
    internal static bool Is(ObjectEntry entry)
    {
        string key = entry.Key;
        return key.AsSpan(key.LastIndexOf('/') + 1) is "_SUCCESS"
            || (entry.Bytes == 0 && (key.EndsWith("_$folder$", StringComparison.Ordinal) || key.EndsWith('/')));
    }
}
