// Memory outside the managed heap.
using Estat.Base.Files;

namespace Estat.Base.Memory;

/// <summary>Settings of the C library's heap, for a process that compresses all day.</summary>
public static class NativeHeap
{
    /// <summary>
    /// Keeps it small. A compressor takes some 300 KB per batch there, from whichever pool thread it runs on. glibc would keep an arena per thread
    /// and, once such a block was freed, serve the next from an arena instead of giving it back: 50 MB more after ten minutes of full load. Call it
    /// first thing in a process; it does nothing on other C libraries.
    /// </summary>
    public static void Limit() => Libc.LimitHeap(arenas: 2, mappedFromBytes: 64 * 1024);

    /// <summary>Gives back what many connections have left behind: those with TLS hold some tens of kilobytes of it each. Takes some
    /// milliseconds.</summary>
    public static void GiveBack() => Libc.TrimHeap();
}
