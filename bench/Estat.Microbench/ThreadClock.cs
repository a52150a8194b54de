// The clock that everything here is measured by.
using System.Diagnostics;
using System.Runtime.InteropServices;
using Perfolizer.Horology;

namespace Estat.Microbench;

/// <summary>
/// CPU time of the calling thread. What else the machine does counts only by the caches that it empties, so that figures of a shared machine can be
/// compared. For what runs on one thread and waits for nothing.
/// </summary>
internal sealed partial class ThreadClock : IClock
{
    private const int ThreadCpuTime = 3; // CLOCK_THREAD_CPUTIME_ID
    private const long NanosecondsPerSecond = 1_000_000_000;

    /// <inheritdoc/>
    public string Title => "CPU time of the thread";

    /// <inheritdoc/>
    public bool IsAvailable => OperatingSystem.IsLinux();

    /// <inheritdoc/>
    public Frequency Frequency { get; } = new(NanosecondsPerSecond);

    /// <inheritdoc/>
    public long GetTimestamp() => Now();

    /// <summary>Nanoseconds.</summary>
    internal static long Now() =>
        clock_gettime(ThreadCpuTime, out TimeSpec time) == 0
            ? (time.Seconds * NanosecondsPerSecond) + time.Nanoseconds
            : throw new UnreachableException("a thread has no CPU clock");

    [LibraryImport("libc")]
    private static partial int clock_gettime(int clock, out TimeSpec time);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        internal nint Seconds;
        internal nint Nanoseconds;
    }
}
