// Work that spends its life in blocking calls has a thread of its own: one of the pool's would be missing there.
namespace Estat.Base.Threading;

/// <summary>A background thread with a name, as a task.</summary>
internal static class OwnThread
{
    /// <summary>Runs the work.</summary>
    /// <param name="name">The thread's name.</param>
    /// <param name="work">What to do, until it is done.</param>
    /// <returns>Ends with the work, and with what it threw. What awaits it does not go on on the thread.</returns>
    internal static Task Run(string name, Action work)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            try
            {
                work();
                ended.SetResult();
            }
            catch (Exception error)
            {
                ended.SetException(error);
            }
        })
        { IsBackground = true, Name = name }.Start();
        return ended.Task;
    }
}
