// What keys have used of their days, carried over restarts by a file.
using System.Text.Json;
using Estat.Base.Logging;

namespace Estat.Base.Access;

/// <summary>Reads the file once and writes it when what it says has changed. One user at a time; may hang as its disk does.</summary>
/// <param name="file">The file.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where trouble is told, once.</param>
internal sealed partial class KeptQuotas(QuotaFile file, TimeProvider time, ILogger logger)
{
    private readonly ToldFault _trouble = new();
    private string _saved = "";

    /// <summary>Goes on where the last start ended. Days that are still to come were counted by a clock that had jumped forward.</summary>
    /// <param name="quotaOf">The quota of a key; null when it has none any more.</param>
    internal void Resume(Func<string, DailyQuota?> quotaOf)
    {
        try
        {
            int today = DailyQuota.DayOf(time.GetUtcNow());
            foreach ((int day, Dictionary<string, long> used) in file.Read().Where(each => each.Day <= today))
            {
                foreach ((string name, long events) in used)
                {
                    quotaOf(name)?.Resume(day, events);
                }
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException)
        {
            LogUnreadable(logger, file.Path, error.Message);
        }
    }

    /// <summary>Writes what was used, if it has changed.</summary>
    internal void Save(IEnumerable<Sender> senders)
    {
        try
        {
            DateTimeOffset now = time.GetUtcNow();
            (int Day, Dictionary<string, long> Used)[] days =
            [
                .. senders.Where(sender => sender.Key.DailyQuota is not null)
                    .SelectMany(sender => sender.Record.Quota.Read(now).Select(each => (sender.Name, each.Day, each.Used)))
                    .Where(each => each.Used > 0)
                    .GroupBy(each => each.Day)
                    .OrderByDescending(day => day.Key)
                    .Take(DailyQuota.MostDays)
                    .Select(day => (day.Key, day.ToDictionary(each => each.Name, each => each.Used, StringComparer.Ordinal))),
            ];
            string text = string.Join(';', days.Select(day => $"{day.Day} {string.Join(' ', day.Used)}"));
            if (days.Length == 0 || text == _saved)
            {
                return;
            }

            file.Write(days);
            _saved = text;
            _trouble.End();
        }
        catch (Exception error)
        {
            OnTrouble(error.Message);
        }
    }

    /// <summary>It could not be written.</summary>
    internal void OnTrouble(string trouble)
    {
        if (_trouble.IsNews())
        {
            LogNotSaved(logger, file.Path, trouble.TrimEnd('.'));
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning, EventName = "QuotasUnreadable",
        Message = "Could not read {Path}: {Error}. The node counts the daily quotas of write keys from 0 again")]
    private static partial void LogUnreadable(ILogger logger, string path, string error);

    [LoggerMessage(
        Level = LogLevel.Warning, EventName = "QuotasNotSaved",
        Message = "Could not write {Path}: {Error}. Until the node can, it keeps in memory what write keys have used of their daily quotas. A "
            + "restart would forget it")]
    private static partial void LogNotSaved(ILogger logger, string path, string error);
}
