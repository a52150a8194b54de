// What is part of the assembly.
using System.Reflection;

namespace Estat.Http.Answering;

/// <summary>Embedded resources, by name.</summary>
internal static class Resource
{
    private static readonly Assembly Own = typeof(Resource).Assembly;

    /// <summary>All of them.</summary>
    internal static IReadOnlyList<string> Names => Own.GetManifestResourceNames();

    /// <summary>One that is there.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="from">The assembly that it is part of; null is this one.</param>
    internal static byte[] Read(string name, Assembly? from = null)
    {
        using Stream stream = (from ?? Own).GetManifestResourceStream(name)!;
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
