// What the sink says of itself.
using Estat.Topics.Messages;
using Estat.Topics.Postgres;

namespace Estat.Topics.Sink;

internal sealed partial class SinkLoop
{
    private void ReportRunning()
    {
        if (_state.Activity != SinkActivity.Running)
        {
            _told.End();
            _state = new(SinkActivity.Running, null, _time.GetUtcNow());
            LogRunning(_logger);
        }
    }

    private void ReportWaiting(Exception error, bool isLog)
    {
        string why = SqlErrors.Text(error);
        if (_state.Activity != SinkActivity.WaitingForDatabase || _state.Why != why)
        {
            _state = new(SinkActivity.WaitingForDatabase, why, _state.Activity == SinkActivity.WaitingForDatabase ? _state.Since : _time.GetUtcNow());
        }

        if (!_told.IsNews(why))
        {
            return;
        }

        if (isLog)
        {
            LogLogFailed(_logger, error);
        }
        else
        {
            LogWaiting(_logger, why);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The sink stores messages")]
    private static partial void LogRunning(ILogger logger);

    [LoggerMessage(Level = LogLevel.Information, Message = "The sink is paused")]
    private static partial void LogPaused(ILogger logger);

    [LoggerMessage(Level = LogLevel.Information, Message = "The sink has {Count} partitions: {Came} came, {Went} went")]
    private static partial void LogPartitions(ILogger logger, int count, int came, int went);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The sink waits for the database: {Why}. Messages wait in the log")]
    private static partial void LogWaiting(ILogger logger, string why);

    [LoggerMessage(Level = LogLevel.Error, Message = "The sink cannot read the log, and begins anew")]
    private static partial void LogLogFailed(ILogger logger, Exception error);

    [LoggerMessage(Level = LogLevel.Error, Message = "The sink cannot get past {Position}: {Error}. It tries again; the operator may give it up")]
    private static partial void LogPinned(ILogger logger, MessagePosition position, string error);

    [LoggerMessage(Level = LogLevel.Error, Message = "The log deleted {Count} messages of {Partition} before they were stored")]
    private static partial void LogExpired(ILogger logger, long count, TopicPartition partition);

    [LoggerMessage(Level = LogLevel.Critical, Message = "The sink failed in a way that it does not know. It goes on after a while")]
    private static partial void LogDefect(ILogger logger, Exception error);

    [LoggerMessage(Level = LogLevel.Critical, Message = "The sink stopped: {Fault}")]
    private static partial void LogStopped(ILogger logger, string fault);
}
