"""The peer of the algorithms benchmark: keeps data loaded and runs one round a line read, so that rounds can take turns.

    load NAME X.bin Y.bin COLUMNS CLASSES      float32 rows, float32 targets
    train NAME TREES DEPTH THREADS             XGBoost hist; answers seconds and processor seconds
    predict NAME THREADS                       all rows by the model trained last
    text TEXTS.json LABELS.json                TF-IDF of words and pairs of words, then logistic regression
    bytext                                     trains it
"""
import json, os, sys, time
threads = sys.argv[1]
os.environ['OMP_NUM_THREADS'] = os.environ['OPENBLAS_NUM_THREADS'] = threads
# Where others use the machine too, threads that wait by spinning would only harm the peer.
os.environ['OMP_WAIT_POLICY'] = 'passive'
import numpy as np
import xgboost as xgb
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

data, models, texts = {}, {}, None


def timed(work):
    before, wall = os.times(), time.perf_counter()
    found = work()
    after = os.times()
    print(time.perf_counter() - wall, after.user - before.user, flush=True)
    return found


print('ready', xgb.__version__, flush=True)
for line in sys.stdin:
    do, *a = line.rstrip('\n').split('\t')
    if do == 'load':
        data[a[0]] = (np.fromfile(a[1], np.float32).reshape(-1, int(a[3])), np.fromfile(a[2], np.float32), int(a[4]))
        print('ok', flush=True)
    elif do == 'train':
        x, y, classes = data[a[0]]
        kind = xgb.XGBClassifier if classes else xgb.XGBRegressor
        model = kind(n_estimators=int(a[1]), max_depth=int(a[2]), learning_rate=0.1, tree_method='hist', max_bin=256, nthread=int(a[3]), reg_lambda=1)
        models[a[0]] = timed(lambda: model.fit(x, y))
    elif do == 'predict':
        x, y, classes = data[a[0]]
        found = timed(lambda: models[a[0]].predict_proba(x)[:, 1] if classes else models[a[0]].predict(x))
        if classes:
            from sklearn.metrics import roc_auc_score
            print(roc_auc_score(y, found), flush=True)
        else:
            print(1 - ((y - found) ** 2).sum() / ((y - y.mean()) ** 2).sum(), flush=True)
    elif do == 'text':
        texts = (json.load(open(a[0], encoding='utf8')), json.load(open(a[1], encoding='utf8')))
        print('ok', flush=True)
    elif do == 'bytext':
        def fit():
            vectors = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
            x = vectors.fit_transform(texts[0])
            return vectors, LogisticRegression(C=10, max_iter=300).fit(x, texts[1])
        timed(fit)
