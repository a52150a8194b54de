// Metrics in Prometheus' text format 0.0.4, from any System.Diagnostics.Metrics instruments. (Why no exporter package: docs/decisions/0001.)
using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Estat.Base.Metrics;

/// <summary>
/// Listens to a node's meters and to the runtime's; <see cref="Write"/> renders what they say. Recorded instruments are aggregated as they are
/// recorded, without a lock: the thread that answers a client records, and waits for no rendering. Observable ones are read at each rendering.
/// </summary>
public sealed class PrometheusText : IDisposable
{
    /// <summary>The Content-Type of what <see cref="Write"/> gives.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private const string RuntimeMeter = "System.Runtime";
    private readonly MeterListener _listener = new();
    private readonly Lock _publishing = new(); // nothing is read or rendered under it
    private readonly SortedDictionary<string, Family> _families = new(StringComparer.Ordinal);

    /// <summary>Starts listening.</summary>
    public PrometheusText(params Meter[] meters)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (Array.IndexOf(meters, instrument.Meter) >= 0 || instrument.Meter.Name == RuntimeMeter)
            {
                var family = Family.For(instrument);
                lock (_publishing)
                {
                    _families[family.Name] = family;
                }

                listener.EnableMeasurementEvents(instrument, family);
            }
        };
        _listener.SetMeasurementEventCallback<long>((_, value, tags, family) => Record(family, value, tags));
        _listener.SetMeasurementEventCallback<int>((_, value, tags, family) => Record(family, value, tags));
        _listener.SetMeasurementEventCallback<double>((_, value, tags, family) => Record(family, value, tags));
        _listener.Start();
    }

    /// <summary>Renders every instrument.</summary>
    public string Write()
    {
        _listener.RecordObservableInstruments();
        Family[] families;
        lock (_publishing)
        {
            families = [.. _families.Values];
        }

        var text = new StringBuilder(16 * 1024);
        foreach (Family family in families)
        {
            family.Write(text);
        }

        return text.ToString();
    }

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();

    private static void Record(object? state, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
        ((Family)state!).Record(Labels(tags), value);

    private static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.IsEmpty)
        {
            return "";
        }

        var labels = new StringBuilder();
        foreach ((string name, object? value) in tags)
        {
            string text = Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
            labels.Append(labels.Length == 0 ? "" : ",").Append(Name(name)).Append("=\"")
                .Append(text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)
                    .Replace("\n", "\\n", StringComparison.Ordinal))
                .Append('"');
        }

        return labels.ToString();
    }

    private static string Name(string text) => string.Create(text.Length, text, static (span, source) =>
    {
        for (int i = 0; i < span.Length; i++)
        {
            span[i] = char.IsAsciiLetterOrDigit(source[i]) ? source[i] : '_';
        }
    });

    private enum Kind
    {
        Counter,
        Gauge,
        Histogram,
    }

    // All series of one instrument.
    private sealed class Family
    {
        private readonly Kind _kind;
        private readonly bool _adds;
        private readonly string _help;
        private readonly double[] _bounds;
        private readonly ConcurrentDictionary<string, Series> _series = new(StringComparer.Ordinal);

        private Family(string name, Kind kind, bool adds, string help, double[] bounds)
        {
            Name = name;
            _kind = kind;
            _adds = adds;
            _help = help;
            _bounds = bounds;
        }

        internal string Name { get; }

        internal static Family For(Instrument instrument)
        {
            Type type = instrument.GetType().GetGenericTypeDefinition();
            Kind kind = type == typeof(Histogram<>) ? Kind.Histogram
                : type == typeof(Counter<>) || type == typeof(ObservableCounter<>) ? Kind.Counter
                : Kind.Gauge;
            // A plain counter reports steps, a histogram values; an observable counter reports its sum.
            bool adds = type == typeof(Counter<>) || type == typeof(UpDownCounter<>) || type == typeof(Histogram<>);
            string name = PrometheusText.Name(instrument.Name);
            if (kind == Kind.Counter && !name.EndsWith("_total", StringComparison.Ordinal))
            {
                name += "_total";
            }

            double[] bounds = (instrument as Histogram<double>)?.Advice?.HistogramBucketBoundaries?.ToArray() ?? [];
            return new Family(name, kind, adds, instrument.Description ?? instrument.Name, bounds);
        }

        internal void Record(string labels, double value)
        {
            Series series = _series.GetOrAdd(labels, static (_, buckets) => new Series(buckets), _bounds.Length + 1);
            if (_kind == Kind.Histogram)
            {
                int bucket = Array.BinarySearch(_bounds, value);
                Interlocked.Increment(ref series.Buckets[bucket < 0 ? ~bucket : bucket]);
            }

            if (_adds)
            {
                series.Add(value);
            }
            else
            {
                series.Set(value);
            }
        }

        internal void Write(StringBuilder text)
        {
            text.Append(CultureInfo.InvariantCulture,
                $"# HELP {Name} {_help.ReplaceLineEndings(" ").Replace("\\", "\\\\", StringComparison.Ordinal)}\n# TYPE {Name} ")
                .Append(_kind switch { Kind.Counter => "counter", Kind.Gauge => "gauge", _ => "histogram" }).Append('\n');
            if (_series.IsEmpty && _kind != Kind.Histogram)
            {
                text.Append(Name).Append(" 0\n");
            }

            foreach ((string labels, Series series) in _series.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            {
                if (_kind == Kind.Histogram)
                {
                    WriteHistogram(text, labels, series);
                }
                else
                {
                    Sample(text, Name, labels, series.Value);
                }
            }
        }

        private void WriteHistogram(StringBuilder text, string labels, Series series)
        {
            string separator = labels.Length == 0 ? "" : ",";
            long count = 0;
            for (int i = 0; i < series.Buckets.Length; i++)
            {
                count += Volatile.Read(ref series.Buckets[i]);
                string bound = i < _bounds.Length ? _bounds[i].ToString(CultureInfo.InvariantCulture) : "+Inf";
                Sample(text, Name + "_bucket", $"{labels}{separator}le=\"{bound}\"", count);
            }

            Sample(text, Name + "_sum", labels, series.Value);
            Sample(text, Name + "_count", labels, count);
        }

        private static void Sample(StringBuilder text, string name, string labels, double value)
        {
            text.Append(name);
            if (labels.Length > 0)
            {
                text.Append('{').Append(labels).Append('}');
            }

            text.Append(CultureInfo.InvariantCulture, $" {value:R}\n");
        }
    }

    // A number, for a histogram the sum of what is in the buckets. A reading may see a value in its bucket before it is in the sum.
    private sealed class Series(int buckets)
    {
        private long _bits; // of a double

        internal double Value => BitConverter.Int64BitsToDouble(Volatile.Read(ref _bits));

        internal long[] Buckets { get; } = new long[buckets];

        internal void Set(double value) => Volatile.Write(ref _bits, BitConverter.DoubleToInt64Bits(value));

        internal void Add(double value)
        {
            long seen = Volatile.Read(ref _bits);
            while (true)
            {
                long sum = BitConverter.DoubleToInt64Bits(BitConverter.Int64BitsToDouble(seen) + value);
                long found = Interlocked.CompareExchange(ref _bits, sum, seen);
                if (found == seen)
                {
                    return;
                }

                seen = found;
            }
        }
    }
}
