// What is part of the assembly.
using System.Reflection;

namespace Estat.Api.Http;

/// <summary>Embedded resources, by name.</summary>
internal static class Resource
{
    private static readonly Assembly Own = typeof(Resource).Assembly;

    /// <summary>All of them.</summary>
    internal static IReadOnlyList<string> Names => Own.GetManifestResourceNames();

    /// <summary>One that is there.</summary>
    internal static byte[] Read(string name)
    {
        using Stream stream = Own.GetManifestResourceStream(name)!;
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
