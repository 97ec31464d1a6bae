"""What the Traditional Chinese of the catalogues may not hold."""

from __future__ import annotations

import re

# Simplified forms that are no ordinary character of Taiwan; shared ones (后 里 面 台 系 只 干 了 …) are left out.
SIMPLIFIED = frozenset(
    "万与专业丛东丝两严丧个丰临为丽举义乌乐乔习乡书买乱争亏产亲亿仅从仑仓仪们价众优会伞伟传伤伦伪体余佣侠侣侥侦侧侨俭债倾偿储儿兑兰关兴养兽内冈册写军农冯冲决况冻净凉减凑凛几凤凭凯击凿划刘则刚创删别刹刽刿剀剂剑剥剧劝办务动励劲劳势勋匀匦区医华协单卖卢卤卫却厂厅历厉压厌厕厢厦厨县参双发变叙叠号叹吓吕吗吨听启吴呐呕员呛呜咏咙咨响哑哒哗哟唤啧啬啸喷嘱嚣团园围国图圆圣场坏块坚坛坝坞坟坠垄垒垦垫墙壮声壳壶处备够头夹夺奋奖奥妆妇妈娄娱婴婶孙学宁宝实宠审宪宫宽宾寝对寻导寿将尔尘尝尧层属屡屿岁岂岗岛岭崭币帅师帐帜带帧帮并广庆库应庙庞废开异弃张弥弯弹强归当录彻径忆忧怀态怜总恋恳恶悬惊惧惨惩惫惭惯愤愿懒戏战户扎扑执扩扫扬扰抚抛抢护报担拟拥拦拧拨择挂挚挟挠挡挣挤挥损换据掳掷掺揽搀搁搂搅携摄摆摇撑敌数断无旧时旷显晋晒晓暂术机杀杂权条来杨极构枪枫柜栅标栈栋栏树样桥档桨桩梦检楼榄横欢欧歼残殴毁毕毙气汇汉汤汹沟没沦沪泪泼泽洁洒浅浆测济浑浓涂涌润涨渊渐渔温湾湿溃满滚滞滤滥滩灭灯灵灾灿炉炼烁烂烛烟烦烧热爱爷牵牺状犹狈狞独狭狮狱猎猪猫献环现玛珑琐电画畅疗疮疯痴瘾盐监盖盗盘睁瞒码砖础硕确碍礼祷祸离种积称税稳穷窃窍窜竖竞笔笺笼筑筛筹签简粮紧纠红约级纪纬纯纱纲纳纵纷纸纹纺线练组细织终绍经绑结绕绘给络绝统继绩绪续维绵综绿缀缅缆缓编缘缚缝缠缩缴网罗罚罢羁翘耸职联聪肃肠肤肾肿胁胆胜胶脉脏脑脚脱脸腊腾舆舰舱艰艺节芦苏苹范茧荐荡荣药莲获营萝萧蓝虑虚虫虽蚀蚁补衬装见观规视览觉触誉计订认讨让训议讯记讲许论设访证评识诈诉词译试诗诚话诞询该详语误说请诸诺读课谁调谅谈谋谎谐谓谜谢谣谨谱贝负贡财责贤败账货质贩贪贫购贯贵贷贸费贺贼贾资赋赌赏赐赔赖赚赛赞赠赢赶趋跃践踪车轨转轮软轰轻载较辅辆辈辉输辖辞边达迁过运还这进远违连迟适选递逻遗遥邓邮邻郑酝酱酿释鉴针钉钓钙钟钢钥钩钱钻铁铃铅铜铝银铸铺链销锁锅错锋锐键锻镇镜长门闪闭问闲间闷闹闻阀阁阅阔队阳阴阵阶际陆陈险随隐隶难雏雾静页顶项顺须顾顿预领频颗题颜额风飞饥饭饮饰饱饲饶饿馆驱驳驶驻驾骂骄验骑骗骚鱼鲜鸟鸡鸣鸭鸿鹅鹰麦黄齐齿龄龙龟"
)
# Forms that Taiwan writes too, in the list above by their simplified reading.
SIMPLIFIED -= frozenset(
    "余准几卜台后咨只号喂里面系谷郁丑干斗向折征松板柜沈游灶累背致范症仆别占吃回杯裡术朴才扎出表并凶划"
)

# Mainland word -> the word of Taiwan. Only words that have no other sense here.
MAINLAND = {
    "登錄": "登入",
    "登陸": "登入",
    "賬號": "帳號",
    "賬戶": "帳號",
    "默認": "預設",
    "網絡": "網路",
    "軟件": "軟體",
    "硬件": "硬體",
    "服務器": "伺服器",
    "用戶": "使用者",
    "界面": "介面",
    "屏幕": "螢幕",
    "反饋": "回饋",
    "激活": "啟用",
    "批量": "批次",
    "質量": "品質",
    "視頻": "影片",
    "打印": "列印",
    "數據": "資料",
    "信息": "訊息",
    "情報": "情資",
    "惡意軟體": "惡意程式",
    "計算機": "電腦",
    "鏈接": "連結",
    "點擊": "點選",
    "郵箱": "信箱",
    "文件夾": "資料夾",
    "密鑰": "金鑰",
    "公鑰": "公開金鑰",
    "加載": "載入",
    "緩存": "快取",
    "搜索": "搜尋",
    "菜單": "選單",
    "粘貼": "貼上",
    "復制": "複製",
    "退出登入": "登出",
}
# Longer words of Taiwan in which such a pair of syllables stands.
MEANT = ("政府情報",)

_HAN = "\u3400-\u9fff"
# A number may stand apart after the words that announce one: 規章 1.1, 專線 02-….
_ANNOUNCED = "(?<!規章)(?<!專線)(?<!電話)"
SPACED = re.compile(
    rf"[{_HAN}，。：；？！）」』] +[A-Za-z%{{<]"
    rf"|[{_HAN}]{_ANNOUNCED} +[0-9]"
    rf"|[A-Za-z0-9%}}>] +[{_HAN}（「『]"
)


def faults(text: str) -> list[str]:
    """What is wrong with one translation, in words."""
    found = [f"simplified character {character}" for character in sorted(set(text) & SIMPLIFIED)]
    plain = text
    for phrase in MEANT:
        plain = plain.replace(phrase, "")
    found += [f"{word}: in Taiwan {better}" for word, better in MAINLAND.items() if word in plain]
    if spaced := SPACED.search(text):
        found.append(f"space between Chinese and Latin: {spaced[0]!r}")
    return found
